/** A QR code as one path, so that it is sharp at every size, on the screen and on paper. */

import { html, svg, type TemplateResult } from "lit";
import qrcode from "qrcode-generator";

/** Modules of white around it that readers need. */
const QUIET = 4;

export function qr(text: string, label: string): TemplateResult {
  const code = qrcode(0, "M");
  code.addData(text);
  code.make();
  const size = code.getModuleCount();
  let path = "";
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      let run = 0;
      while (x + run < size && code.isDark(y, x + run)) run++;
      if (run > 0) path += `M${x + QUIET} ${y + QUIET}h${run}v1h-${run}z`;
      x += run;
    }
  }
  const all = size + 2 * QUIET;
  return html`<svg class="qr" role="img" aria-label=${label} viewBox="0 0 ${all} ${all}" shape-rendering="crispEdges">
    ${svg`<rect width=${all} height=${all} fill="#fff"></rect><path d=${path} fill="#000"></path>`}
  </svg>`;
}
