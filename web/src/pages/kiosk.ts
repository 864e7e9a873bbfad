/** The kiosk's page: registers the elements, and the worker that brings the page up when the server is away. */

import { AnnouncerElement } from "../components/announcer.js";
import { define } from "../components/define.js";
import { ReplyElement } from "../components/reply.js";
import { HipwiseKiosk } from "../kiosk/kiosk.js";

define("hipwise-announcer", AnnouncerElement);
define("hipwise-reply", ReplyElement);
define("hipwise-kiosk", HipwiseKiosk);

// Only where the page is secure (TLS, or the machine itself); elsewhere the page goes on with what it has in memory.
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/kiosk-worker.js", { scope: "/kiosk" }).catch(() => {});
}
