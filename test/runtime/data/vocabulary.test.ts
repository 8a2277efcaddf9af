import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildTokens } from "../../../src/runtime/data/tokens.ts";
import {
  compareCodePoints,
  createVocabulary,
  decode,
  encode,
  mergeVocabularies,
  specialId,
  tokenText,
  vocabularySize,
  withSpecial,
} from "../../../src/runtime/data/vocabulary.ts";

const abc = createVocabulary("character", ["a", "b", "c"]);

describe("vocabularies", () => {
  test("special tokens come last and change no id", () => {
    const more = withSpecial(withSpecial(withSpecial(abc, "EOS"), "BOS"), "EOS");
    expect(vocabularySize(more)).toBe(5);
    expect([specialId(more, "EOS"), specialId(more, "BOS"), specialId(more, "UNK")]).toEqual([3, 4, undefined]);
    expect([0, 3, 9].map((id) => tokenText(more, id))).toEqual(["a", "<EOS>", "<9?>"]);
  });

  test("text of a token that reads like a special one stays a token", () => {
    const words = withSpecial(createVocabulary("word", ["EOS"]), "EOS");
    expect(encode(words, "EOS").ids).toEqual([0]);
  });

  test("encode names what it does not know, unless there is UNK", () => {
    expect(encode(abc, "abxay")).toEqual({ ids: [0, 1, 0], unknown: ["x", "y"] });
    expect(encode(withSpecial(abc, "UNK"), "ax")).toEqual({ ids: [0, 3], unknown: [] });
  });

  test("decode stops at EOS and leaves BOS out", () => {
    const more = withSpecial(withSpecial(abc, "EOS"), "BOS");
    expect(decode(more, [4, 2, 0, 1, 3, 0])).toBe("cab");
    expect(decode(createVocabulary("word", ["the", "sea"]), Int32Array.of(0, 1))).toBe("the sea");
  });

  test("what was built decodes to what went in (property)", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", minLength: 1 })), (texts) => {
        const tokens = buildTokens("character");
        for (const character of texts.join("")) tokens.add(character);
        const { vocabulary, data } = tokens.finish();
        expect(decode(vocabulary, data)).toBe(texts.join(""));
        expect(encode(vocabulary, texts.join("")).ids).toEqual([...data]);
        expect(vocabulary.tokens).toEqual([...vocabulary.tokens].sort(compareCodePoints));
      }),
    );
  });

  test("merging has the tokens of both, in order", () => {
    const other = withSpecial(createVocabulary("character", ["0", "b", "é"]), "EOS");
    const merged = mergeVocabularies(abc, other);
    expect(merged.tokens).toEqual(["0", "a", "b", "c", "é"]);
    expect(merged.special).toEqual(["EOS"]);
    expect(mergeVocabularies(abc, abc)).toBe(abc);
  });

  test("order by code point, beyond the first plane too", () => {
    expect(["😀", "\uffee", "b", "ba"].sort(compareCodePoints)).toEqual(["b", "ba", "\uffee", "😀"]);
  });
});
