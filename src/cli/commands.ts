import { Command } from "commander";
import { packageVersion } from "./version.ts";

interface Entry {
  readonly summary: string;
  /** Loads the command with its options: only the one that is called is loaded, so that each starts fast. */
  readonly load: () => Promise<Command>;
}

/** Every command, in the order of the help. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  new: {
    summary: "write a small model that trains, to start from",
    load: async () => (await import("./new.ts")).newCommand(),
  },
  check: {
    summary: "find every mistake in files, without running them",
    load: async () => (await import("./check.ts")).checkCommand(),
  },
  fmt: {
    summary: "lay files out in the canonical form",
    load: async () => (await import("./fmt.ts")).fmtCommand(),
  },
  summary: {
    summary: "show a model's parts, shapes and parameters",
    load: async () => (await import("./summary.ts")).summaryCommand(),
  },
  test: {
    summary: "run the `expect` lines of files",
    load: async () => (await import("./test.ts")).testCommand(),
  },
  train: {
    summary: "train a model as a `train` block says",
    load: async () => (await import("./train.ts")).trainCommand(),
  },
  generate: {
    summary: "produce outputs as a `generate` block says",
    load: async () => (await import("./generate.ts")).generateCommand(),
  },
  run: {
    summary: "run a model on arrays from files: outputs, loss, gradients",
    load: async () => (await import("./run.ts")).runCommand(),
  },
  compile: {
    summary: "write a model as TypeScript, or print its graphs",
    load: async () => (await import("./compile.ts")).compileCommand(),
  },
  explain: {
    summary: "show what became of each equation: kernels, work, memory",
    load: async () => (await import("./explain.ts")).explainCommand(),
  },
  diagnose: {
    summary: "measure how the loss depends on each step: vanishing and exploding gradients",
    load: async () => (await import("./diagnose.ts")).diagnoseCommand(),
  },
  eject: {
    summary: "print a library definition, to copy and change",
    load: async () => (await import("./eject.ts")).ejectCommand(),
  },
  doctor: {
    summary: "show what this machine can run programs on",
    load: async () => (await import("./doctor.ts")).doctorCommand(),
  },
};

/** Runs what the command line says; the process's exit code is set, output is written. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  // A reader that has seen enough, as `head`, closes the pipe.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  const called = argv[2] === "help" ? argv[3] : argv[2];
  const program = new Command("seqc")
    .description("A compiler for sequence models that are written as equations.")
    .version(packageVersion(), "--version")
    .showHelpAfterError("(seqc help shows how it is used)")
    .helpCommand("help [command]", "show how a command is used");
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = name === called ? await load() : new Command();
    program.addCommand(command.name(name).description(summary));
  }
  await program.parseAsync(argv);
}
