import { parentPort, workerData } from "node:worker_threads";
import { follow } from "./wasm-follow.ts";

/** What a worker of Node runs: it is started with all that it needs. */
follow(workerData, () => parentPort?.postMessage("ready"));
