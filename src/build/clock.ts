import * as make from "../op/make.ts";
import type { Session } from "./frame.ts";

/** Graph values that a schedule may read: training steps done, steps in all, epochs done. */
export interface Clock {
  readonly step: string;
  readonly steps: string;
  readonly epoch: string;
}

/** The clock of a graph; its params are made where they are first asked for. */
export function clockOf({ builder, roles }: Pick<Session, "builder" | "roles">): Clock {
  const value = (kind: "step" | "steps" | "steps_per_epoch"): string => {
    for (const [id, role] of roles) if (role.kind === kind) return id;
    const id = builder.param(kind, { dtype: "float", axes: [] });
    roles.set(id, { kind });
    return id;
  };
  const step = value("step");
  return { step, steps: value("steps"), epoch: make.div(builder, step, value("steps_per_epoch")) };
}
