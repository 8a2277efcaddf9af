import { defineConfig } from "vite";
import { evaluated, PACKAGE_DATA } from "../scripts/evaluated.ts";

/** Threads may share memory in a page that is cross-origin isolated. */
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Only forms that the page does not ask for need it, and it is large. */
const external = ["ts-morph"];

export default defineConfig({
  plugins: [evaluated(PACKAGE_DATA)],
  worker: { format: "es", plugins: () => [evaluated(PACKAGE_DATA)], rolldownOptions: { external } },
  optimizeDeps: { exclude: external },
  server: { headers },
  preview: { headers },
  build: { target: "esnext", chunkSizeWarningLimit: 4000, rolldownOptions: { external } },
});
