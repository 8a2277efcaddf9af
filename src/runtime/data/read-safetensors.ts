import { readTensors, type StoredTensor } from "../safetensors.ts";
import { type Column, type Dataset, type Layout, product, table } from "./dataset.ts";
import { DataError } from "./error.ts";
import { missingColumn } from "./read-table.ts";

/** The tensors of a safetensors file as columns; their first axis is the rows. */
export async function readSafetensors(file: string, wanted: readonly string[] | undefined): Promise<Dataset> {
  const { tensors } = await readTensors(file);
  for (const name of wanted ?? []) if (!tensors.has(name)) throw missingColumn(name, [...tensors.keys()], { file });
  const columns = new Map<string, Column>();
  for (const [name, tensor] of tensors)
    if (wanted?.includes(name) ?? true) columns.set(name, tensorColumn(file, name, tensor));
  if (columns.size === 0) throw new DataError("the file has no tensors", { place: { file } });
  return table(columns, true);
}

function tensorColumn(file: string, name: string, tensor: StoredTensor): Column {
  const [rows, ...shape] = tensor.shape;
  if (rows === undefined || tensor.data.length === 0)
    throw new DataError(`tensor ${JSON.stringify(name)} of shape [${tensor.shape}] has no rows`, { place: { file } });
  const place: Layout["place"] = (row) => ({ file, row: row + 1, field: name });
  const layout: Layout = { rows, shape, starts: undefined, lengths: undefined, present: undefined, place };
  switch (tensor.dtype) {
    case "BOOL":
      return { kind: "bool", ...layout, data: tensor.data };
    case "U8":
    case "I32":
      return { kind: "int", ...layout, data: tensor.data };
    case "I64":
      return { kind: "int", ...layout, data: narrow(tensor.data, layout) };
    case "F32":
    case "F64":
    case "F16":
    case "BF16": {
      const bad = tensor.data.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0)
        throw new DataError(`${tensor.data[bad]} is not a finite number`, {
          place: place(Math.floor(bad / product(shape))),
        });
      return { kind: "float", ...layout, data: tensor.data, scale: 1, offset: 0 };
    }
  }
}

function narrow(values: BigInt64Array, layout: Layout): Int32Array {
  const wide = values.findIndex((value) => BigInt.asIntN(32, value) !== value);
  if (wide >= 0)
    throw new DataError(`${values[wide]} needs more than 32 bits`, {
      place: layout.place(Math.floor(wide / product(layout.shape))),
    });
  return Int32Array.from(values, Number);
}
