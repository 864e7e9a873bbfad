/**
 * How the kiosk looks. `--mm` is a millimetre of its screen in CSS pixels; everything that is touched or read is made of it.
 *
 * Targets are 21 mm and more, text has capitals of 4.8 mm and more, colours a contrast of 7:1 and more. Controls are in the
 * lower two thirds of the screen.
 */

import { css } from "lit";

export const kiosk = css`
  :host {
    --hit: calc(21 * var(--mm, 4.034px));
    --text: max(24px, calc(7 * var(--mm, 4.034px)));
    --large: max(30px, calc(8.5 * var(--mm, 4.034px)));
    --gap: calc(3 * var(--mm, 4.034px));
    --target: var(--hit);
    --ink: #10191d;
    --soft: #2c3a41;
    --accent: #0a4854;
    --link: #0a4854;
    --bot: #fff;
    --focus: #b3261e;
  }
  .kiosk {
    position: fixed;
    inset: 0;
    display: flex;
    flex-direction: column;
    font: 400 var(--text) / 1.35 system-ui, "Liberation Sans", "DejaVu Sans", sans-serif;
    color: var(--ink);
    background: #f3f8f8;
    user-select: none;
    -webkit-user-select: none;
    touch-action: pan-y;
    overflow: hidden;
  }
  main {
    flex: 1;
    min-height: 0;
    display: flex;
    flex-direction: column;
    padding: var(--gap) calc(2 * var(--gap)) 0;
    gap: var(--gap);
  }
  h1,
  h2,
  p,
  ul,
  ol {
    margin: 0;
  }
  h1 {
    font-size: calc(1.25 * var(--large));
    line-height: 1.2;
    text-wrap: balance;
    overflow-wrap: anywhere;
  }
  h1:focus {
    outline: none;
  }
  h2 {
    font-size: var(--text);
    line-height: 1.3;
  }
  header {
    display: flex;
    flex-direction: column;
    gap: calc(0.5 * var(--gap));
  }
  .what {
    font-size: var(--large);
    line-height: 1.3;
  }
  .icon {
    width: 1.3em;
    height: 1.3em;
  }
  .status:empty {
    display: none;
  }
  header .status {
    align-self: flex-start;
    padding: 0.3em 0.7em;
    border: 3px solid var(--ink);
    border-radius: 12px;
    background: #fff8db;
  }
  :focus-visible {
    outline: 6px solid var(--focus);
    outline-offset: 2px;
  }
  /* What is touched is in the lower two thirds: the head has the upper one to itself. */
  .home header,
  .group header,
  .write header,
  .closest header,
  .take header,
  .hidden-text header {
    min-height: calc(100vh / 3 - var(--gap));
    justify-content: center;
  }
  .closest header,
  .take header {
    justify-content: end;
  }
  .emergency-hint {
    align-self: flex-start;
    padding: 0.25em 0.7em;
    border: 3px solid #8f1010;
    border-radius: 12px;
    background: #fff;
    color: #7d0b0b;
  }
  .tiles {
    flex: 1;
    min-height: 0;
    display: grid;
    grid-template-columns: 1fr 1fr;
    grid-auto-rows: minmax(var(--hit), 1fr);
    gap: var(--gap);
  }
  .questions {
    grid-auto-rows: minmax(var(--hit), calc(1.8 * var(--hit)));
    align-content: start;
  }
  .tile,
  .main-button,
  .call-staff {
    display: flex;
    flex-direction: column;
    justify-content: center;
    align-items: flex-start;
    gap: 0.1em;
    min-height: var(--hit);
    min-width: var(--hit);
    padding: 0.3em 0.8em;
    border: 3px solid var(--accent);
    border-radius: 18px;
    background: #fff;
    color: var(--accent);
    font-weight: 600;
    text-align: start;
    line-height: 1.2;
    box-shadow: 0 3px 0 var(--accent);
    touch-action: manipulation;
  }
  .tile:active,
  .main-button:active,
  .call-staff:active,
  .bar-button:active {
    translate: 0 3px;
    box-shadow: none;
  }
  .groups .tile-title,
  .questions .tile-title {
    font-size: var(--large);
  }
  .tile-note {
    font-weight: 400;
    color: var(--soft);
  }
  .main-button {
    flex-direction: row;
    align-items: center;
    justify-content: center;
    gap: 0.5em;
    background: var(--accent);
    color: #fff;
    font-size: var(--large);
    box-shadow: none;
  }
  /* The bar */
  .bar {
    flex: none;
    display: grid;
    grid-template-columns: repeat(8, 1fr);
    gap: calc(0.6 * var(--gap));
    margin-top: var(--gap);
    padding: calc(0.7 * var(--gap)) var(--gap);
    background: #dbe8ea;
    border-top: 3px solid var(--accent);
  }
  .bar-button {
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    gap: 0.05em;
    min-height: calc(1.15 * var(--hit));
    min-width: var(--hit);
    padding: 0.15em 0.2em;
    border: 3px solid var(--accent);
    border-radius: 14px;
    background: #fff;
    color: var(--accent);
    font-weight: 600;
    line-height: 1.15;
    text-align: center;
    touch-action: manipulation;
  }
  .bar-button:disabled {
    border: 3px dashed #55646b;
    background: transparent;
    color: #33424a;
    font-weight: 400;
    cursor: default;
  }
  .bar-button[aria-pressed="true"] {
    border-width: 7px;
    text-decoration: underline;
  }
  .bar-button[data-action="help"]:not(:disabled) {
    border-color: #8f1010;
    background: #8f1010;
    color: #fff;
  }
  /* Answers */
  .answer header {
    min-height: 0;
  }
  .scroll {
    flex: 1;
    min-height: 0;
    overflow-y: auto;
    scrollbar-width: none;
    overscroll-behavior: contain;
    padding: var(--gap) calc(1.5 * var(--gap));
    border: 3px solid var(--line);
    border-radius: 18px;
    background: #fff;
    display: flex;
    flex-direction: column;
    gap: calc(1.5 * var(--gap));
  }
  .words {
    display: flex;
    flex-direction: column;
    gap: var(--gap);
  }
  .words[hidden] {
    display: none;
  }
  .scroll .bubble {
    border: 0;
    padding: 0;
    background: none;
    font-size: calc(1.08 * var(--large));
    line-height: 1.45;
  }
  .scroll .label {
    font-size: var(--text);
    color: var(--ink);
  }
  .figure {
    display: block;
    width: auto;
    max-width: 100%;
    height: auto;
    max-height: 46vh;
    object-fit: contain;
    align-self: center;
    flex: 0 1 auto;
    min-height: 0;
    border: 2px solid var(--line);
    border-radius: 12px;
    background: #fff;
  }
  .large .figure {
    width: 100%;
    max-height: 100%;
    flex: 1;
  }
  .citations {
    border-top: 2px solid var(--line);
    padding-top: calc(0.7 * var(--gap));
  }
  .citations ol {
    padding-inline-start: 1.4em;
    overflow-wrap: anywhere;
  }
  .pager,
  .sound {
    flex: none;
    display: flex;
    flex-wrap: wrap;
    gap: var(--gap);
    align-items: center;
  }
  .pager:empty {
    display: none;
  }
  .pager .tile,
  .sound .tile {
    flex-direction: row;
    align-items: center;
    gap: 0.5em;
  }
  .sound {
    padding: calc(0.7 * var(--gap));
    border: 3px solid var(--accent);
    border-radius: 18px;
    background: #fff;
  }
  .next {
    flex: none;
    display: flex;
    flex-direction: column;
    gap: calc(0.5 * var(--gap));
  }
  .suggested {
    grid-template-columns: repeat(3, 1fr);
    grid-auto-rows: minmax(var(--hit), auto);
  }
  .own {
    font-size: var(--large);
    max-height: 20vh;
    overflow: hidden;
  }
  .looking {
    margin-top: var(--gap);
    font-size: var(--large);
  }
  /* Writing */
  .writing {
    flex: 1;
    min-height: 0;
    display: flex;
    flex-direction: column;
    gap: 0.2em;
  }
  .writing label {
    font-weight: 600;
  }
  .writing textarea {
    flex: 1;
    min-height: var(--hit);
    max-height: none;
    font-size: var(--large);
    border: 3px solid var(--accent);
    color: var(--ink);
    user-select: text;
    -webkit-user-select: text;
  }
  .writing .status {
    font-weight: 600;
    color: #7d0b0b;
  }
  .keys.hg-theme-default {
    flex: none;
    padding: 0;
    background: none;
    font: inherit;
    overflow: visible;
  }
  .keys.hg-theme-default .hg-row {
    gap: calc(0.35 * var(--gap));
    margin-bottom: calc(0.35 * var(--gap));
  }
  .keys.hg-theme-default .hg-row:last-child {
    margin-bottom: 0;
  }
  .keys.hg-theme-default .hg-row .hg-button {
    flex: 1 1 var(--hit);
    width: auto;
    min-width: 0;
    height: var(--hit);
    margin: 0;
    border: 2px solid var(--accent);
    border-radius: 12px;
    box-shadow: none;
    background: #fff;
    color: var(--ink);
    font-size: var(--large);
    touch-action: manipulation;
  }
  .keys.hg-theme-default .hg-row .hg-button-space {
    flex-grow: 4;
  }
  .keys.hg-theme-default .hg-row .hg-functionBtn {
    font-weight: 600;
  }
  .keys.hg-theme-default .hg-row .hg-button.main-key {
    flex-grow: 2;
    background: var(--accent);
    color: #fff;
  }
  .keys.hg-theme-default .hg-row .hg-button:active {
    background: #cfe3e6;
    color: var(--ink);
  }
  /* Emergency: it fills the screen. */
  .kiosk.urgent,
  .kiosk.crisis {
    background: #7d0b0b;
    color: #fff;
    --focus: #fff;
  }
  .kiosk.crisis {
    background: #43237d;
  }
  .alarm {
    display: flex;
    flex: none;
    flex-direction: column;
    align-items: flex-start;
    gap: calc(1.5 * var(--gap));
    margin: auto 0;
    color: inherit;
  }
  .alarm > .icon {
    width: calc(3 * var(--large));
    height: calc(3 * var(--large));
  }
  .alarm h1 {
    font-size: calc(1.7 * var(--large));
  }
  .tell {
    font-size: calc(1.35 * var(--large));
    font-weight: 700;
    line-height: 1.25;
    padding: 0.3em 0.6em;
    border: 5px solid currentColor;
    border-radius: 18px;
  }
  .tell span {
    font-weight: 400;
  }
  .advice {
    font-size: calc(1.1 * var(--large));
    line-height: 1.4;
  }
  .alarm-actions {
    display: flex;
    flex-direction: column;
    gap: var(--gap);
  }
  .call-status {
    font-size: var(--large);
    font-weight: 600;
    min-height: 1.3em;
  }
  .call-staff {
    flex-direction: row;
    align-items: center;
    justify-content: center;
    gap: 0.5em;
    min-height: calc(1.6 * var(--hit));
    font-size: calc(1.4 * var(--large));
    border-color: #fff;
    color: #7d0b0b;
    box-shadow: none;
  }
  .crisis .call-staff {
    color: #43237d;
  }
  .urgent .sound,
  .crisis .sound {
    color: var(--ink);
  }
  .urgent :focus-visible,
  .crisis :focus-visible {
    outline-color: #ffd54a;
  }
  /* Taking it home */
  .taking {
    flex: 1;
    min-height: 0;
    display: flex;
    gap: calc(2 * var(--gap));
    align-items: flex-start;
    overflow: hidden;
  }
  .qr {
    flex: none;
    width: min(calc(100 * var(--mm, 4.034px)), 52vh);
    height: auto;
    border: 3px solid var(--ink);
    border-radius: 12px;
  }
  .list {
    flex: 1;
  }
  .list ul {
    padding-inline-start: 1.2em;
  }
  .paper {
    display: flex;
    gap: var(--gap);
    align-items: center;
    flex-wrap: wrap;
  }
  .hidden-text .main-button {
    width: 60%;
    min-height: calc(2 * var(--hit));
    align-self: center;
    margin-block: auto;
  }
  .hidden-text {
    background: #2c3a41;
    color: #fff;
  }
  .hidden-text .main-button {
    background: #fff;
    color: var(--accent);
  }
  /* The warning */
  dialog {
    font: 400 var(--text) / 1.35 system-ui, "Liberation Sans", "DejaVu Sans", sans-serif;
    color: var(--ink);
    width: min(92vw, calc(220 * var(--mm, 4.034px)));
    padding: calc(2 * var(--gap));
    border: 6px solid var(--accent);
    border-radius: 24px;
    background: #fff;
    inset-block-start: 36vh;
    margin-block-start: 0;
  }
  dialog[open] {
    display: flex;
    flex-direction: column;
    gap: calc(1.3 * var(--gap));
  }
  /* Nobody may be there: what is below is not to be read. */
  dialog::backdrop {
    background: #2c3a41;
  }
  dialog h2 {
    font-size: calc(1.25 * var(--large));
  }
  dialog .count {
    display: block;
    font-size: var(--large);
    color: inherit;
  }
  dialog .tile {
    align-items: center;
  }
  dialog .main-button {
    min-height: calc(1.8 * var(--hit));
  }
  @media (orientation: landscape) {
    .groups {
      grid-template-columns: repeat(4, 1fr);
    }
    .list ul {
      columns: 2;
    }
    .answer .scroll:has(.figure):not(.large) {
      display: grid;
      grid-template-columns: 1fr minmax(0, 36%);
      grid-template-rows: auto 1fr;
      align-items: start;
      column-gap: calc(2 * var(--gap));
    }
    .answer .scroll:not(.large) .figure {
      grid-column: 2;
      grid-row: 1 / 3;
      width: 100%;
    }
    .answer {
      display: grid;
      grid-template-rows: auto 1fr auto auto;
    }
    .alarm {
      display: grid;
      grid-template-columns: auto 1fr;
      align-items: center;
      gap: var(--gap) calc(2 * var(--gap));
    }
    .alarm .tell,
    .alarm .advice {
      grid-column: 1 / -1;
    }
    .alarm > .icon {
      width: calc(2 * var(--large));
      height: calc(2 * var(--large));
    }
  }
  @media (orientation: portrait) {
    .bar {
      grid-template-columns: repeat(4, 1fr);
    }
    .questions,
    .suggested {
      grid-template-columns: 1fr;
    }
    .questions {
      grid-auto-rows: minmax(var(--hit), calc(1.4 * var(--hit)));
    }
    .taking {
      flex-direction: column;
    }
    .answer header {
      min-height: 8vh;
      justify-content: end;
    }
  }
  @media (forced-colors: active) {
    .bar-button:disabled {
      border-color: GrayText;
    }
    .icon,
    .qr {
      forced-color-adjust: auto;
    }
  }
`;
