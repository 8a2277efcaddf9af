import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";

/** Where and with what it was measured. */
export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly platform: string;
  readonly node: string;
  readonly packages: Readonly<Record<string, string>>;
}

export function thisMachine(): Machine {
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: processors[0]?.model ?? "unknown",
    cores: processors.length,
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    packages: { ...field("../package.json", "version"), ...dependencies() },
  };
}

function dependencies(): Readonly<Record<string, string>> {
  const found: unknown = readPackage("package.json").dependencies;
  return Object.fromEntries(Object.entries(Object(found)).map(([name, version]) => [name, String(version)]));
}

function field(file: string, name: string): Readonly<Record<string, string>> {
  return { seqc: String(readPackage(file)[name]) };
}

function readPackage(file: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(import.meta.dirname, file), "utf8"));
}
