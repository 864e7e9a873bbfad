/**
 * Two builds into one folder: `--mode widget` makes widget.js, one file that any page can include; `--mode pages`
 * makes our own pages, which name the widget's hash.
 */

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

const root = import.meta.dirname;
const out = resolve(root, "dist");
const widget = resolve(out, "widget.js");

const integrity = (): string =>
  existsSync(widget) ? `sha384-${createHash("sha384").update(readFileSync(widget)).digest("base64")}` : "";

/** Style sheets in template literals are not touched by the minifier: take out what nobody reads. */
const shortStyles = (): Plugin => ({
  name: "short-styles",
  transform(code, id) {
    if (!id.endsWith("styles.ts")) return null;
    return code.replace(/css`([^`]*)`/g, (_, text: string) => {
      const short = text
        .replace(/\/\*[\s\S]*?\*\//g, "")
        .replace(/\s+/g, " ")
        .replace(/\s*([{};,])\s*/g, "$1")
        .replace(/: /g, ":")
        .replace(/;}/g, "}");
      return `css\`${short.trim()}\``;
    });
  },
});

/** The same for markup: indentation between tags says nothing. */
const shortMarkup = (): Plugin => ({
  name: "short-markup",
  transform(code, id) {
    if (!/src\/(chat|components\/\w+)\.ts$/.test(id)) return null;
    return code.replace(/\n\s+/g, "\n");
  },
});

const pages: Plugin = {
  name: "pages",
  transformIndexHtml: (html) => html.replaceAll("%INTEGRITY%", integrity()),
  closeBundle() {
    writeFileSync(resolve(out, "integrity.json"), `${JSON.stringify({ "widget.js": integrity() }, null, 2)}\n`);
  },
};

export default defineConfig(({ mode }) => ({
  root,
  base: "/",
  logLevel: "warn",
  publicDir: mode === "pages" ? "public" : false,
  plugins: mode === "pages" ? [pages] : [shortStyles(), shortMarkup()],
  build:
    mode === "pages"
      ? {
          outDir: out,
          emptyOutDir: false,
          target: "es2022",
          modulePreload: false,
          assetsInlineLimit: 0,
          rolldownOptions: { input: ["index.html", "kiosk.html", "take-home.html"].map((page) => resolve(root, page)) },
        }
      : {
          outDir: out,
          emptyOutDir: true,
          target: "es2022",
          lib: {
            entry: resolve(root, "src/widget.ts"),
            formats: ["iife"],
            name: "hipwise",
            fileName: () => "widget.js",
          },
        },
}));
