/**
 * How everything looks. Shared by the widget and the kiosk: put `base` and `parts` in one's static styles.
 *
 * Colours are custom properties with a dark variant; each pair of text and ground has a contrast of 4.5:1 or more
 * (7:1 for running text). In forced colours the system's own are used, and borders do what grounds did before.
 */

import { css } from "lit";

export const base = css`
  /* Rules of the page reach the element itself; nothing inherits through this. */
  .frame {
    all: initial;
    display: contents;
    color-scheme: light;
  }
  :host([dark]) .frame {
    color-scheme: dark;
  }
  :host {
    --accent: var(--hipwise-accent, #0b5563);
    --on-accent: var(--hipwise-on-accent, #fff);
    --ground: var(--hipwise-background, #fff);
    --ink: var(--hipwise-text, #16242b);
    --soft: #3d4b52;
    --line: #6b7d85;
    --hair: #d4dde0;
    --bot: var(--hipwise-bubble, #eef3f4);
    --urgent: #8f1010;
    --urgent-ground: #fff1ef;
    --crisis: #4b2a86;
    --crisis-ground: #f6f1ff;
    --link: var(--hipwise-link, #0b5563);
    --focus: var(--hipwise-focus, #0f62d0);
    --radius: var(--hipwise-radius, 14px);
    --target: 44px;
  }
  :host([dark]) {
    --accent: var(--hipwise-accent-dark, #7fd3e0);
    --on-accent: var(--hipwise-on-accent-dark, #06262c);
    --ground: var(--hipwise-background-dark, #12191d);
    --ink: var(--hipwise-text-dark, #eef4f6);
    --soft: #b4c2c8;
    --line: #8fa1a9;
    --hair: #36454c;
    --bot: var(--hipwise-bubble-dark, #1f2a30);
    --urgent: #ffb3ab;
    --urgent-ground: #3a1311;
    --crisis: #d6c3ff;
    --crisis-ground: #271a45;
    --link: var(--hipwise-link-dark, #8fdbe7);
    --focus: var(--hipwise-focus-dark, #9cc7ff);
  }
  * {
    box-sizing: border-box;
  }
  .vh {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .icon {
    width: 1.35em;
    height: 1.35em;
    flex: none;
    vertical-align: -0.3em;
    fill: none;
    stroke: currentColor;
    stroke-width: 2;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  button,
  input,
  textarea {
    font: inherit;
    color: inherit;
    letter-spacing: inherit;
  }
  button,
  summary,
  .button {
    cursor: pointer;
    min-height: var(--target);
    min-width: var(--target);
  }
  :focus-visible {
    outline: 3px solid var(--focus);
    outline-offset: 2px;
  }
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.5em;
    padding: 0.45em 1em;
    border: 2px solid var(--accent);
    border-radius: 999px;
    background: var(--ground);
    color: var(--link);
    font-weight: 600;
    text-decoration: none;
    text-align: center;
  }
  .button.main {
    background: var(--accent);
    color: var(--on-accent);
  }
  .button.danger {
    border-color: var(--urgent);
    color: var(--urgent);
  }
`;

export const parts = css`
  hipwise-reply,
  hipwise-composer {
    display: block;
  }
  .bubble {
    background: var(--bot);
    border: 1px solid transparent;
    border-radius: var(--radius);
    border-start-start-radius: 4px;
    padding: 0.7em 0.9em;
    width: fit-content;
    max-width: 100%;
  }
  .text {
    margin: 0;
    white-space: pre-line;
    overflow-wrap: anywhere;
  }
  .label {
    margin: 0 0 0.35em;
    font-weight: 600;
    color: var(--soft);
  }
  .bubble.urgent,
  .bubble.crisis {
    border: 3px solid var(--alarm);
    border-inline-start-width: 10px;
    background: var(--alarm-ground);
    width: auto;
  }
  .bubble.urgent {
    --alarm: var(--urgent);
    --alarm-ground: var(--urgent-ground);
  }
  .bubble.crisis {
    --alarm: var(--crisis);
    --alarm-ground: var(--crisis-ground);
  }
  .alarm {
    display: flex;
    gap: 0.5em;
    align-items: center;
    margin: 0 0 0.4em;
    font-size: 1.2em;
    line-height: 1.3;
    color: var(--alarm);
  }
  .bubble.urgent .text,
  .bubble.crisis .text {
    font-weight: 600;
  }
  .calls {
    display: none;
    flex-wrap: wrap;
    gap: 0.5em;
    margin: 0.7em 0 0;
  }
  .calls:empty {
    display: none;
  }
  .call {
    background: var(--alarm);
    border-color: var(--alarm);
    color: var(--alarm-ground);
    flex: 1 1 auto;
    min-height: 52px;
    font-size: 1.1em;
  }
  @media (pointer: coarse), (max-width: 480px) {
    .calls {
      display: flex;
    }
  }
  figure {
    margin: 0.5em 0 0;
  }
  figure img {
    display: block;
    width: 100%;
    height: auto;
    border: 1px solid var(--hair);
    border-radius: 10px;
    background: #fff;
    color: #16242b;
    font-size: 0.9em;
  }
  figcaption a,
  .sources summary {
    display: inline-flex;
    align-items: center;
    gap: 0.4em;
    min-height: var(--target);
    color: var(--link);
  }
  .sources summary {
    text-decoration: underline;
    list-style: none;
  }
  .sources summary::-webkit-details-marker {
    display: none;
  }
  .sources summary::before {
    content: "▸" / "";
    font-size: 1.2em;
    line-height: 1;
  }
  .sources[open] summary::before {
    content: "▾" / "";
  }
  .sources p {
    margin: 0 0 0.4em;
  }
  .sources ol {
    margin: 0 0 0.5em;
    padding-inline-start: 1.6em;
  }
  .sources li {
    margin: 0.2em 0;
    overflow-wrap: anywhere;
  }
  .sources a {
    color: var(--link);
    display: inline-block;
    padding-block: 0.65em;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
  }
  .quiet {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    background: none;
    border: 2px solid transparent;
    border-radius: 10px;
    color: var(--soft);
    padding: 0;
  }
  .quiet:hover {
    border-color: var(--line);
  }
  .quiet[aria-pressed="true"] {
    border-color: currentColor;
    color: var(--link);
  }
  .quiet[aria-pressed="true"] .icon {
    fill: color-mix(in srgb, currentColor 30%, transparent);
  }
  .status {
    padding-inline-start: 0.4em;
    color: var(--soft);
  }
  .reason {
    display: flex;
    flex-wrap: wrap;
    align-items: end;
    gap: 0.5em;
    margin: 0.3em 0 0.5em;
  }
  .reason label {
    flex: 1 1 12em;
  }
  .reason input {
    display: block;
    width: 100%;
    min-height: var(--target);
    padding: 0.4em 0.6em;
    background: var(--ground);
    border: 1px solid var(--line);
    border-radius: 8px;
  }
  .suggestions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5em;
    margin: 0.5em 0 0;
    padding: 0;
    list-style: none;
  }
  .suggestion {
    padding: 0.45em 0.95em;
    border: 2px solid var(--accent);
    border-radius: 22px;
    background: var(--ground);
    color: var(--link);
    text-align: start;
  }
  .suggestion:hover,
  .button:hover {
    text-decoration: underline;
  }
  .composer {
    display: grid;
    grid-template-columns: 1fr auto;
    gap: 0.2em 0.5em;
    align-items: end;
    padding: 0.6em 0.75em;
    padding-bottom: max(0.6em, env(safe-area-inset-bottom));
    border-top: 1px solid var(--hair);
    background: var(--ground);
    position: relative;
  }
  textarea {
    resize: none;
    width: 100%;
    min-height: 48px;
    max-height: 8.5em;
    padding: 0.65em 0.8em;
    background: var(--ground);
    border: 2px solid var(--line);
    border-radius: var(--radius);
    line-height: 1.4;
  }
  textarea::placeholder {
    color: var(--soft);
    opacity: 1;
  }
  .send {
    width: 48px;
    height: 48px;
    display: inline-flex;
    align-items: center;
    justify-content: center;
    border: 2px solid var(--accent);
    border-radius: 50%;
    background: var(--accent);
    color: var(--on-accent);
    padding: 0;
  }
  .count {
    grid-column: 1 / -1;
    color: var(--soft);
  }
  .count:empty {
    display: none;
  }
  .count.over {
    color: var(--urgent);
    font-weight: 700;
  }
  @media (forced-colors: active) {
    .bubble,
    .quiet {
      border-color: CanvasText;
    }
    .quiet[aria-pressed="true"] {
      border-color: Highlight;
      border-width: 4px;
    }
    .bubble.urgent,
    .bubble.crisis {
      border-style: double;
      border-width: 6px;
      border-inline-start-width: 14px;
    }
    .send,
    .call {
      border-color: ButtonText;
    }
  }
`;

export const widget = css`
  .launcher,
  dialog {
    position: fixed;
    z-index: var(--hipwise-z-index, 2147483000);
    inset-block-end: var(--hipwise-offset-bottom, 1rem);
    inset-inline-end: var(--hipwise-offset-side, 1rem);
    font: var(--hipwise-font, normal 1em/1.5 system-ui, sans-serif);
    text-align: start;
    color: var(--ink);
  }
  :host([side="left"]) .launcher,
  :host([side="left"]) dialog {
    inset-inline: var(--hipwise-offset-side, 1rem) auto;
  }
  .launcher {
    display: inline-flex;
    align-items: center;
    gap: 0.55em;
    max-width: calc(100vw - 2rem);
    min-height: 56px;
    padding: 0.6em 1.25em;
    border: 2px solid var(--on-accent);
    border-radius: 999px;
    background: var(--accent);
    color: var(--on-accent);
    font-weight: 600;
    font-size: 1.05em;
    box-shadow: 0 3px 14px rgb(0 0 0 / 35%);
  }
  .unread {
    padding: 0 0.6em;
    border-radius: 1em;
    background: var(--on-accent);
    color: var(--accent);
  }
  dialog {
    display: none;
    margin: 0;
    padding: 0;
    inset-block-start: auto;
    inset-inline-start: auto;
    width: min(var(--hipwise-width, 26em), calc(100vw - 2rem));
    height: min(var(--hipwise-height, 42em), calc(100vh - 2rem));
    max-width: none;
    max-height: none;
    flex-direction: column;
    background: var(--ground);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    box-shadow: 0 8px 40px rgb(0 0 0 / 35%);
    overflow: hidden;
    overscroll-behavior: contain;
  }
  dialog[open] {
    display: flex;
  }
  dialog.size-1 {
    font-size: 1.25em;
  }
  dialog.size-2 {
    font-size: 1.6em;
  }
  .head {
    display: flex;
    align-items: center;
    gap: 0.25em;
    padding: 0.5em 0.5em 0.5em 1em;
    background: var(--accent);
    color: var(--on-accent);
    flex: none;
  }
  .head div {
    flex: 1;
    min-width: 0;
  }
  h2 {
    margin: 0;
    font-size: 1.1em;
    line-height: 1.3;
    overflow-wrap: anywhere;
  }
  .head p {
    margin: 0;
    font-size: 0.9em;
    line-height: 1.3;
  }
  .head button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    flex: none;
    padding: 0;
    background: none;
    border: 2px solid transparent;
    border-radius: 10px;
    color: inherit;
  }
  .head button:hover,
  .head button[aria-expanded="true"] {
    border-color: currentColor;
  }
  .head :focus-visible {
    outline-color: var(--on-accent);
    outline-offset: -3px;
  }
  .log,
  .sheet {
    flex: 1;
    min-height: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
    padding: 0.9em 1em 1em;
  }
  .log:focus-visible {
    outline-offset: -4px;
  }
  .messages {
    list-style: none;
    margin: 0;
    padding: 0;
    display: flex;
    flex-direction: column;
    gap: 0.9em;
  }
  .user {
    align-self: flex-end;
    max-width: 88%;
    text-align: end;
  }
  .user .text {
    background: var(--accent);
    color: var(--on-accent);
    border: 1px solid transparent;
    border-radius: var(--radius);
    border-end-end-radius: 4px;
    padding: 0.6em 0.9em;
    text-align: start;
    width: fit-content;
    margin-inline-start: auto;
  }
  .bot {
    max-width: 100%;
  }
  .meta {
    display: block;
    font-size: 0.85em;
    color: var(--soft);
    margin-top: 0.15em;
  }
  .notice {
    border-inline-start: 4px solid var(--line);
    padding: 0.2em 0.8em;
    color: var(--soft);
  }
  .notice p,
  .problem p {
    margin: 0 0 0.3em;
  }
  .typing {
    display: flex;
    gap: 0.5em;
    align-items: center;
    color: var(--soft);
    margin: 0.9em 0 0;
  }
  .dots {
    display: inline-flex;
    gap: 4px;
  }
  .dots i {
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: currentColor;
  }
  @media (prefers-reduced-motion: no-preference) {
    .dots i {
      animation: blink 1.2s infinite;
    }
    .dots i:nth-child(2) {
      animation-delay: 0.2s;
    }
    .dots i:nth-child(3) {
      animation-delay: 0.4s;
    }
    @keyframes blink {
      50% {
        opacity: 0.25;
      }
    }
  }
  .problem {
    flex: none;
    padding: 0.6em 1em;
    border-top: 3px solid var(--urgent);
    background: var(--urgent-ground);
    color: var(--ink);
    max-height: 45%;
    overflow: auto;
  }
  .sheet h3 {
    margin: 0 0 0.6em;
    font-size: 1.1em;
  }
  .sheet h3:focus {
    outline: none;
  }
  fieldset {
    margin: 0 0 1em;
    padding: 0 0 0.8em;
    border: 0;
    border-bottom: 1px solid var(--hair);
  }
  legend {
    padding: 0;
    font-weight: 600;
    margin-bottom: 0.3em;
  }
  .choice {
    display: flex;
    align-items: center;
    gap: 0.6em;
    min-height: var(--target);
    cursor: pointer;
  }
  .choice input {
    width: 24px;
    height: 24px;
    margin: 0;
    flex: none;
    accent-color: var(--accent);
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    gap: 0.6em;
    margin: 0.4em 0;
  }
  .ask {
    border: 2px solid var(--urgent);
    border-radius: 10px;
    padding: 0.7em 0.9em;
    margin: 0.4em 0;
  }
  .ask p {
    margin: 0 0 0.5em;
    font-weight: 600;
  }
  .said {
    min-height: 1.5em;
    margin: 0;
    color: var(--soft);
  }
  .print-frame {
    position: fixed;
    inset: 0 auto auto -10000px;
    width: 190mm;
    height: 270mm;
    border: 0;
  }
  @media (max-width: 480px), (max-height: 480px) {
    dialog {
      inset: 0;
      top: var(--shift, 0);
      width: 100%;
      height: var(--seen, 100%);
      border: 0;
      border-radius: 0;
      box-shadow: none;
    }
    :host([side="left"]) dialog {
      inset-inline: 0;
    }
    .head {
      padding-top: max(0.5em, env(safe-area-inset-top));
    }
  }
  /* Very little height, as at a zoom of 400 %: everything scrolls together, only the box to write in stays. */
  @media (max-height: 420px) {
    dialog {
      overflow-y: auto;
      /* What has the focus is not below the box. */
      scroll-padding-block-end: 6em;
    }
    .log,
    .sheet,
    .problem {
      flex: none;
      overflow: visible;
      max-height: none;
    }
    .log {
      min-height: 6em;
    }
    hipwise-composer {
      position: sticky;
      inset-block-end: 0;
      margin-top: auto;
      z-index: 1;
    }
    textarea {
      max-height: 4.5em;
    }
  }
  @media (forced-colors: active) {
    .launcher,
    .user .text,
    .suggestion,
    dialog {
      border: 2px solid ButtonBorder;
    }
    .head {
      border-bottom: 2px solid CanvasText;
    }
    .dots i {
      background: CanvasText;
    }
  }
  @media print {
    .launcher,
    dialog {
      display: none;
    }
  }
`;
