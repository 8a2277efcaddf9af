import { defineConfig } from "vite";
// In a project of its own: import { seqc } from "seqc/vite";
import { seqc } from "../../src/vite/plugin.ts";

export default defineConfig({ plugins: [seqc()] });
