import { readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import tailwindcss from "@tailwindcss/vite";
import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { licenses } from "./scripts/licenses.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Writes x.br and x.gz in the place of everything that compresses; the same bytes on every machine. The server unpacks x for who asks for it. */
function precompress(): Plugin {
  let out = "dist";
  return {
    name: "precompress",
    apply: "build",
    configResolved: (c) => {
      out = c.build.outDir;
    },
    closeBundle() {
      for (const path of readdirSync(out, { recursive: true, encoding: "utf8" }).sort()) {
        const file = join(out, path);
        if (!/\.(js|css|svg)$/.test(path) || statSync(file).size < 1024) continue;
        const body = readFileSync(file);
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length };
        writeFileSync(`${file}.br`, brotliCompressSync(body, { params }));
        writeFileSync(`${file}.gz`, gzipSync(body, { level: 9 }));
        unlinkSync(file);
      }
    },
  };
}

export default defineConfig({
  base: "./", // the server says where it is mounted
  plugins: [
    tanstackRouter({ target: "react", autoCodeSplitting: true, quoteStyle: "double", semicolons: true }),
    react(),
    tailwindcss(),
    licenses(["tailwindcss", "@fontsource-variable/geist", "@fontsource-variable/geist-mono"]),
    precompress(),
  ],
  resolve: {
    alias: { "@tenon/client": here("../clients/typescript/src/index.ts"), "@": here("src") },
  },
  build: {
    target: "baseline-widely-available",
    assetsInlineLimit: 0, // a data: URI would break font-src 'self'
    modulePreload: { polyfill: false },
    sourcemap: false,
    manifest: "manifest.json", // which chunks a page needs: for the preload links and the size budget
    reportCompressedSize: false,
    // What pages share comes in a few files, each with what it needs, unless one before it has that: fewer are asked for, and they compress better. Signing in needs the first four.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "core", test: /node_modules\/(react|react-dom|scheduler|@tanstack|openapi-fetch|clsx)\//, priority: 5 },
            { name: "routes", test: /src\/(routes\/[^?]*\.tsx|routeTree\.gen\.ts)$/, priority: 4 }, // what a route is, without its page
            { name: "icons", test: /node_modules\/lucide-react\//, minShareCount: 3, priority: 3 },
            {
              name: "entrance",
              test: /src\/(lib|api|features\/auth|components\/(?!layout\/shell|ui\/(table|choice|.*\.base)))/,
              minShareCount: 2,
              priority: 2,
            },
            { name: "inside", test: /src\/(components|features)\/(?!.*\.base)/, minShareCount: 4, priority: 1 }, // what the pages behind it share
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8000", "/_dev": "http://127.0.0.1:8000" } },
  test: { environment: "happy-dom", include: ["test/**/*.test.{ts,tsx}"], setupFiles: ["test/setup.ts"] },
});
