/** The icons, drawn by us on a grid of 24. They say nothing to a screen reader: the words beside them do. */

import { html, svg, type TemplateResult } from "lit";

const paths = {
  chat: "M4 4h16v12H9l-5 4zM8 8.5h8M8 12h5",
  close: "M6 6l12 12M18 6L6 18",
  options: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  back: "M20 12H5M11 6l-6 6 6 6",
  send: "M4 12L20 4l-5 16-4-6zM11 14l9-10",
  warning: "M12 3L2 20.5h20zM12 9.5v5M12 17.2v.6",
  support: "M12 20S3 14.5 3 8.8A4.6 4.6 0 0 1 12 7a4.6 4.6 0 0 1 9 1.8C21 14.5 12 20 12 20z",
  phone: "M6 3h4l1.5 5L9 9.8a12 12 0 0 0 5.2 5.2L16 12.5l5 1.5v4a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3z",
  up: "M7 20H4v-9h3zM7 11l4-7a2 2 0 0 1 2 2l-.5 4H19l1 2-2 8H7",
  down: "M7 4H4v9h3zM7 13l4 7a2 2 0 0 0 2-2l-.5-4H19l1-2-2-8H7",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  speak: "M4 9.5v5h3.5L13 19V5L7.5 9.5zM16.5 9a4 4 0 0 1 0 6M19 6.5a8 8 0 0 1 0 11",
  stop: "M7 7h10v10H7z",
  print: "M7 8V3h10v5M7 17H4V8h16v9h-3M7 13h10v8H7z",
  save: "M12 3v12M6.5 10l5.5 5.5 5.5-5.5M4 20h16",
  external: "M13 4h7v7M20 4l-9 9M18 14v6H4V6h6",
  info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5.5M12 7.5v.6",
  doctor: "M6 3v6a4 4 0 0 0 8 0V3M10 13v2.5a4.5 4.5 0 0 0 9 0V13M19 13a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z",
} as const;

export type IconName = keyof typeof paths;

export function icon(name: IconName): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    ${svg`<path d=${paths[name]}></path>`}
  </svg>`;
}
