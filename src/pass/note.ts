import type { Node, Origin } from "../ir/graph.ts";
import type { PassName } from "./pass.ts";

/** What a pass has done, as data: for whoever explains a program to people. */
export interface Note {
  readonly pass: PassName;
  /** The equations whose values it concerns, each once, in order. */
  readonly origins: readonly Origin[];
  /** The axis of the loop where it happened; undefined outside of loops. */
  readonly axis: string | undefined;
  /** How many values became one, or moved. */
  readonly count: number;
}

/** Takes down that a pass has done its work to nodes, in the loop over an axis or outside of loops. */
export type NoteDown = (pass: PassName, nodes: readonly Node[], axis: string | undefined) => void;

/** For those who do not ask. */
export const SILENT: NoteDown = () => undefined;

/** Gives notes to a listener. */
export function noteTo(listener: (note: Note) => void): NoteDown {
  return (pass, nodes, axis) => {
    const origins = new Map<string, Origin>();
    for (const { origin } of nodes) {
      if (origin !== undefined) origins.set(`${origin.name} ${origin.span.file} ${origin.span.start}`, origin);
    }
    listener({ pass, origins: [...origins.values()], axis, count: nodes.length });
  };
}
