import { Command } from "commander";
import { type Diagnosis, diagnose, type TargetFacts, type Trouble, type WebGpuFacts } from "../runtime/diagnosis.ts";
import { type GpuAdapterFacts, softwareNotice } from "../runtime/gpu-device.ts";
import { action, EXIT } from "./action.ts";
import { counted, print } from "./terminal.ts";
import { packageVersion } from "./version.ts";

export function doctorCommand(): Command {
  return new Command()
    .option("--json", "print a JSON object, with all limits and features of the graphics device")
    .action(
      action(async (_, { json }: { readonly json?: boolean }) => {
        const diagnosis = { seqc: packageVersion(), ...(await diagnose()) };
        print(json === true ? JSON.stringify(diagnosis) : asText(diagnosis));
        return EXIT.fine;
      }),
    );
}

function asText(found: Diagnosis & { readonly seqc: string }): string {
  const { wasm, webgpu } = found;
  const machine = rows([
    ["seqc", found.seqc],
    ["node", `${found.node}, ${found.platform}, ${counted(found.processors, "processor")}`],
    [
      "WebAssembly",
      `SIMD ${yes(wasm.simd)}, relaxed SIMD ${yes(wasm.relaxedSimd)}, shared memory ${yes(wasm.sharedMemory)}`,
    ],
    ...("problem" in webgpu ? troubleRows(webgpu) : adapterRows(webgpu)),
  ]);
  const targets = rows(found.targets.map((target) => [target.name, stateOf(target, found)]));
  return `${machine}\n\ntargets\n${indented(targets)}`;
}

type Row = readonly [name: string, text: string];

function troubleRows({ problem, hint }: Trouble): readonly Row[] {
  return [["WebGPU", problem], ...(hint === undefined ? [] : [["", hint] as const])];
}

function adapterRows({ from, adapter }: WebGpuFacts): readonly Row[] {
  const notice = softwareNotice(adapter);
  return [
    ["WebGPU", from === "package" ? "by the package webgpu" : "by navigator.gpu"],
    ["  adapter", [adapter.vendor, adapter.architecture, adapter.device].filter((part) => part !== "").join(" ")],
    ["  driver", adapter.driver === "" ? "not told" : adapter.driver],
    ["  kind", notice ?? "a graphics device"],
    ["  features", SHOWN_FEATURES.map((name) => `${name} ${yes(adapter.features.includes(name))}`).join(", ")],
    ["  limits", limitsOf(adapter)],
  ];
}

/** What kernels can make use of. */
const SHOWN_FEATURES = ["subgroups", "shader-f16", "timestamp-query"] as const;

function limitsOf({ limits }: GpuAdapterFacts): string {
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize } = limits;
  return [
    `buffer ${bytes(maxBufferSize)}`,
    `binding ${bytes(maxStorageBufferBindingSize)}`,
    `workgroup ${bytes(maxComputeWorkgroupStorageSize)} and ${limits.maxComputeInvocationsPerWorkgroup ?? "?"} invocations`,
  ].join(", ");
}

function stateOf({ name, doc, trouble, notice }: TargetFacts, { chosen, webgpu }: Diagnosis): string {
  if (trouble !== undefined) return `not ready: ${trouble.problem}`;
  const software = "problem" in webgpu ? undefined : softwareNotice(webgpu.adapter);
  const marks = [
    ...(name === chosen ? ["taken where --target is not given"] : []),
    ...(notice === undefined ? [] : [notice === software ? "on a software adapter" : notice]),
  ];
  return `ready: ${doc}${marks.length === 0 ? "" : ` (${marks.join(", ")})`}`;
}

function bytes(count: number | undefined): string {
  if (count === undefined) return "?";
  const power = Math.min(3, Math.floor(Math.log2(count) / 10));
  return `${Math.floor(count / 2 ** (10 * power))} ${["B", "KiB", "MiB", "GiB"][power]}`;
}

function yes(isSo: boolean): string {
  return isSo ? "yes" : "no";
}

function rows(all: readonly Row[]): string {
  const width = Math.max(...all.map(([name]) => name.length));
  return all.map(([name, text]) => `${name.padEnd(width)}  ${text}`.trimEnd()).join("\n");
}

function indented(text: string): string {
  return text.replace(/^/gm, "  ");
}
