/** The kiosk's own icons, drawn by us on a grid of 24, beside those of the components. */

import { html, svg, type TemplateResult } from "lit";

const paths = {
  home: "M4 11l8-7 8 7M6 9.5V20h12V9.5M10 20v-6h4v6",
  again: "M5 12a7 7 0 1 0 2.2-5.1M7.5 3v4.2h4.2",
  hide: "M3 3l18 18M10.6 6.2A10 10 0 0 1 12 6c5 0 8.5 4.5 9.5 6a17 17 0 0 1-2.6 3.2M6.5 7.6A16 16 0 0 0 2.5 12c1 1.5 4.5 6 9.5 6a9.5 9.5 0 0 0 4.3-1.1M9.9 10a3 3 0 0 0 4.1 4.2",
  keys: "M2.5 6h19v12h-19zM6 10h.6M9.7 10h.6M13.7 10h.6M17.4 10h.6M7 14.2h10",
  square: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2.5v2.5M20 14v6h-6M17.5 17.5h.1",
  bell: "M12 3v2M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 21h4",
  more: "M5 9l7 7 7-7",
  less: "M5 15l7-7 7 7",
  figure: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.3 15.3L21 21M10.5 7.5v6M7.5 10.5h6",
} as const;

export type KioskIcon = keyof typeof paths;

export function kioskIcon(name: KioskIcon): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    ${svg`<path d=${paths[name]}></path>`}
  </svg>`;
}
