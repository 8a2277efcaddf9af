/*
 * Text that knows where it may break (Wadler 2003, "A prettier printer"; the fits test is Lindig's, 2000).
 */

export type Doc =
  | string
  | readonly Doc[]
  /** A newline, or `flat` where the group around it fits on one line; a hard one never does. */
  | { readonly kind: "line"; readonly flat: string; readonly hard: boolean }
  /** Nothing, but what encloses it does not go on one line. */
  | { readonly kind: "force" }
  /** On one line if it fits, else with a newline at each of its own lines. */
  | { readonly kind: "group"; readonly doc: Doc }
  /** Lines inside begin further right. */
  | { readonly kind: "indent"; readonly by: number; readonly doc: Doc }
  /** Lines inside begin at the column where this begins. */
  | { readonly kind: "align"; readonly doc: Doc }
  | Fill;

/** Parts separated by a blank, or by a newline before each part that does not fit. */
interface Fill {
  readonly kind: "fill";
  readonly parts: readonly Doc[];
  /** The first part that is still to be laid out. */
  readonly from: number;
}

export const line: Doc = { kind: "line", flat: " ", hard: false };
export const softLine: Doc = { kind: "line", flat: "", hard: false };
export const hardLine: Doc = { kind: "line", flat: "", hard: true };

export const force: Doc = { kind: "force" };

export function group(...doc: readonly Doc[]): Doc {
  return { kind: "group", doc };
}

export function indent(by: number, ...doc: readonly Doc[]): Doc {
  return { kind: "indent", by, doc };
}

export function align(...doc: readonly Doc[]): Doc {
  return { kind: "align", doc };
}

export function fill(parts: readonly Doc[]): Doc {
  return { kind: "fill", parts, from: 0 };
}

export function join(docs: readonly Doc[], separator: Doc): readonly Doc[] {
  return docs.flatMap((doc, at) => (at === 0 ? [doc] : [separator, doc]));
}

interface Task {
  readonly doc: Doc;
  readonly indent: number;
  readonly flat: boolean;
}

/** Lays a document out, from `column` on; later lines begin at `margin` or further right. */
export function layOut(
  doc: Doc,
  options: { readonly width: number; readonly margin: number; readonly column: number },
): string {
  const tasks: Task[] = [{ doc, indent: options.margin, flat: false }];
  let text = "";
  let column = options.column;
  const write = (part: string) => {
    text += part;
    column += part.length;
  };
  for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
    const { doc: each, indent: margin, flat } = task;
    if (typeof each === "string") write(each);
    else if (isList(each)) pushAll(tasks, each, margin, flat);
    else if (each.kind === "indent") tasks.push({ doc: each.doc, indent: margin + each.by, flat });
    else if (each.kind === "align") tasks.push({ doc: each.doc, indent: column, flat });
    else if (each.kind === "force") continue;
    else if (each.kind === "fill") pushFill(tasks, each, margin, flat, options.width - column);
    else if (each.kind === "group") {
      const fitting = { doc: each.doc, indent: margin, flat: true };
      tasks.push(flat || fits(fitting, tasks, options.width - column) ? fitting : { ...fitting, flat: false });
    } else if (flat && !each.hard) write(each.flat);
    else {
      text = `${text.trimEnd()}\n${" ".repeat(margin)}`;
      column = margin;
    }
  }
  return text;
}

function isList(doc: Doc): doc is readonly Doc[] {
  return Array.isArray(doc);
}

function pushAll(tasks: Task[], docs: readonly Doc[], indent: number, flat: boolean): void {
  for (let at = docs.length - 1; at >= 0; at--) tasks.push({ doc: docs[at]!, indent, flat });
}

function pushFill(tasks: Task[], doc: Fill, indent: number, flat: boolean, room: number): void {
  const { parts, from } = doc;
  const [first, second] = [parts[from], parts[from + 1]];
  if (first === undefined) return;
  if (second !== undefined) {
    // The separator breaks if the next part no longer fits behind this one.
    const together = flat || fits({ doc: [first, line, second], indent, flat: true }, [], room);
    tasks.push({ doc: { ...doc, from: from + 1 }, indent, flat }, { doc: line, indent, flat: together });
  }
  tasks.push({ doc: group(first), indent, flat });
}

/** Does the task, and what follows it up to the next possible newline, fit in `room` columns? */
function fits(first: Task, after: readonly Task[], room: number): boolean {
  const tasks: Task[] = [first];
  let left = room;
  let next = after.length;
  while (left >= 0) {
    const task = tasks.pop() ?? after[--next];
    if (task === undefined) return true;
    const { doc, indent, flat } = task;
    if (typeof doc === "string") left -= doc.length;
    else if (isList(doc)) pushAll(tasks, doc, indent, flat);
    else if (doc.kind === "fill") {
      const [part, last] = [doc.parts[doc.from], doc.from === doc.parts.length - 1];
      if (part !== undefined && !last)
        tasks.push({ doc: { ...doc, from: doc.from + 1 }, indent, flat }, { doc: line, indent, flat });
      if (part !== undefined) tasks.push({ doc: part, indent, flat });
    } else if (doc.kind === "force") {
      if (next === after.length) return false;
    } else if (doc.kind !== "line") tasks.push({ doc: doc.doc, indent, flat });
    else if (doc.hard) return !flat || next < after.length;
    else if (!flat) return true;
    else left -= doc.flat.length;
  }
  return false;
}
