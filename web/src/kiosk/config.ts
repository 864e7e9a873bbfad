/** What this kiosk is like: from the server, and from its own address for what differs between kiosks. */

export interface Config {
  /** Seconds without touch until it asks. */
  idleSeconds: number;
  /** Seconds that the warning counts down. */
  warningSeconds: number;
  /** CSS pixels in a millimetre of the screen. */
  pxPerMm: number;
  callStaff: boolean;
  /** Where phones reach the server, without a slash at the end; null where they can't. */
  phoneUrl: string | null;
  printer: boolean;
  /** Everything is read aloud, for someone with a headset and a keypad. */
  headset: boolean;
}

/** `server` is what /api/v1/kiosk/config said, or null while it has not said anything. */
export function readConfig(server: unknown, address: URL): Config {
  const body = (server ?? {}) as Record<string, unknown>;
  const query = address.searchParams;
  const number = (value: unknown, least: number, most: number, otherwise: number): number => {
    const found = Number(value ?? Number.NaN);
    return found >= least && found <= most ? found : otherwise;
  };
  const flag = (name: string): boolean => !["", "0", "no", "false"].includes(query.get(name) ?? "");
  const publicUrl = typeof body.public_url === "string" && body.public_url !== "" ? body.public_url : null;
  const local = ["localhost", "[::1]"].includes(address.hostname) || address.hostname.startsWith("127.");
  const physical = number(query.get("mm"), 0.5, 40, number(body.px_per_mm, 0.5, 40, 4.034));
  return {
    idleSeconds: number(body.idle_seconds, 1, 3600, 60),
    warningSeconds: number(body.warning_seconds, 1, 600, 20),
    pxPerMm: physical / (globalThis.devicePixelRatio || 1),
    callStaff: body.call_staff === true,
    phoneUrl: publicUrl ?? (local ? null : address.origin),
    printer: flag("printer"),
    headset: flag("headset"),
  };
}
