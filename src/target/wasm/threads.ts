import type { Sharing } from "../../plan/share.ts";
import { atomic, drop } from "./encode-atomics.ts";
import {
  block,
  branch,
  branchIf,
  call,
  type I32,
  i32,
  local,
  loop,
  type Procedure,
  type Statement,
  trap,
  when,
} from "./encode-code.ts";
import type { ModuleBuilder } from "./encode-module.ts";

/** How the code of one of several threads is made. Each has its own instance of one module, all have the same memory. */
export interface Threads {
  readonly sharing: Sharing;
  /** The address of this thread's own table, as cells count it. */
  readonly table: I32;
  /** This thread, from 0 on, and how many there are. */
  readonly thread: I32;
  readonly count: I32;
  /** Whether this thread may sleep: those that a page is drawn by may not. */
  readonly maySleep: I32;
}

export function createThreads(module: ModuleBuilder, sharing: Sharing): Threads {
  return {
    sharing,
    table: module.given("table"),
    thread: module.given("thread"),
    count: module.given("threads"),
    maySleep: module.given("maySleep"),
  };
}

/** Words that all threads share, in bytes, each in a cache line of its own. */
export const CONTROL = {
  /** How many have arrived at the present barrier. */
  arrived: 64,
  /** Counts barriers; BROKEN once a thread has failed or all are to end. */
  epoch: 128,
  sleeping: 192,
} as const;

/** Where tables start when there are several threads. */
export const TABLES = 256;

export const BROKEN = -1;

/** How often a thread looks before it sleeps: some ten microseconds. */
const LOOKS = 8000;

/** Waits until all threads have come here. Traps in all where one has failed. */
export function barrier(module: ModuleBuilder, { count, maySleep }: Threads): Statement {
  const reference = module.shared("barrier", [], "none", (builder) => {
    const epoch = builder.local("i32");
    const looks = builder.local("i32");
    const zero = i32.const(0);
    const present = atomic.load(zero, CONTROL.epoch);
    const release = [
      atomic.store(zero, zero, CONTROL.arrived),
      atomic.store(zero, i32.and(i32.add(local.get(epoch), i32.const(1)), i32.const(0x7fffffff)), CONTROL.epoch),
      when(atomic.load(zero, CONTROL.sleeping), [drop(atomic.notify(zero, i32.const(-1), CONTROL.epoch))]),
    ];
    const sleep = [
      drop(atomic.add(zero, i32.const(1), CONTROL.sleeping)),
      drop(atomic.wait(zero, local.get(epoch), CONTROL.epoch)),
      drop(atomic.add(zero, i32.const(-1), CONTROL.sleeping)),
    ];
    const patience = [
      local.set(looks, i32.sub(local.get(looks), i32.const(1))),
      when(i32.and(maySleep, i32.eqz(local.get(looks))), [...sleep, local.set(looks, i32.const(1))]),
    ];
    const isLast = i32.eq(atomic.add(zero, i32.const(1), CONTROL.arrived), i32.sub(count, i32.const(1)));
    const wait = block(loop(branchIf(1, i32.ne(present, local.get(epoch))), ...patience, branch(0)));
    builder.finish(
      local.set(epoch, present),
      when(i32.eq(local.get(epoch), i32.const(BROKEN)), [trap()]),
      when(isLast, release, [local.set(looks, i32.const(LOOKS)), wait]),
      when(i32.eq(present, i32.const(BROKEN)), [trap()]),
    );
  });
  return call(reference);
}

/** What the first thread does for a run: lets the others start, does its part, and waits for them. */
export function leadFunction(module: ModuleBuilder, threads: Threads, actions: Procedure): Procedure {
  const builder = module.function("run", [], "none");
  builder.finish(barrier(module, threads), call(actions), barrier(module, threads));
  return builder.reference;
}

/** What the other threads do: their part of every run, until a barrier traps. */
export function followFunction(module: ModuleBuilder, threads: Threads, actions: Procedure): Procedure {
  const builder = module.function("follow", [], "none");
  builder.finish(loop(barrier(module, threads), call(actions), barrier(module, threads), branch(0)));
  return builder.reference;
}
