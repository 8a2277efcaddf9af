import { type CstNode, CstParser, type IParserConfig, type ParserMethod, type TokenType } from "chevrotain";
import { Identifier, NumberToken, Prime, StringToken, Symbols, vocabulary, word } from "./tokens.ts";

const logicOperators = [
  word("or"),
  word("and"),
  Symbols.equal,
  Symbols.unequal,
  Symbols.lessEqual,
  Symbols.greaterEqual,
  Symbols.less,
  Symbols.greater,
];
const arithmeticOperators = [
  Symbols.plus,
  Symbols.minus,
  Symbols.times,
  Symbols.divide,
  Symbols.remainder,
  Symbols.contract,
  Symbols.power,
];
const operandStarts = new Set<TokenType>([
  NumberToken,
  StringToken,
  Symbols.openParen,
  Symbols.openBracket,
  Symbols.minus,
  word("scan"),
]);

/**
 * The rules for names, types and expressions.
 * Operators stand flat, as one list between operands: who reads the tree groups them by precedence,
 * which is faster than a rule for every level and keeps the levels in one table.
 */
export class ExpressionParser extends CstParser {
  constructor(config: IParserConfig) {
    super([...vocabulary], config);
  }

  protected isName(distance: number): boolean {
    const type = this.LA(distance).tokenType;
    return type === Identifier || (type.CATEGORIES?.includes(Identifier) ?? false);
  }

  protected startsOperand(distance: number): boolean {
    return this.isName(distance) || operandStarts.has(this.LA(distance).tokenType);
  }

  /** The distance just behind a bracket group that opens at `distance`; the end of input closes all. */
  protected behindGroup(distance: number): number {
    let depth = 0;
    for (let at = distance; ; at++) {
      const type = this.LA(at).tokenType;
      if (type === Symbols.openBracket || type === Symbols.openParen || type === Symbols.openBrace) depth++;
      else if (type === Symbols.closeBracket || type === Symbols.closeParen || type === Symbols.closeBrace) depth--;
      else if (type.name === "EOF") return at;
      if (depth <= 0) return at + 1;
    }
  }

  /** Do the next tokens read `a =`, `a', b[t] =` ...? Then a contextual keyword is a name. */
  protected startsEquation(): boolean {
    for (let at = 1; ; at++) {
      if (!this.isName(at)) return false;
      at++;
      if (this.LA(at).tokenType === Prime) at++;
      if (this.LA(at).tokenType === Symbols.openBracket) at = this.behindGroup(at);
      const type = this.LA(at).tokenType;
      if (type === Symbols.define) return true;
      if (type !== Symbols.comma) return false;
    }
  }

  // Lists with commas

  protected listOf(element: ParserMethod<[], CstNode>, options: { readonly LABEL?: string } = {}): void {
    this.SUBRULE8(element, options);
    this.MANY8(() => {
      this.CONSUME8(Symbols.comma);
      this.SUBRULE9(element, options);
    });
  }

  /** The same inside brackets, where a comma may also stand behind the last element. */
  protected listUpTo(
    closer: TokenType,
    element: ParserMethod<[], CstNode>,
    options: { readonly LABEL?: string } = {},
  ): void {
    this.SUBRULE8(element, options);
    this.MANY8({
      GATE: () => this.LA(2).tokenType !== closer,
      DEF: () => {
        this.CONSUME8(Symbols.comma);
        this.SUBRULE9(element, options);
      },
    });
    this.OPTION9(() => this.CONSUME9(Symbols.comma));
  }

  // Names and types

  protected names = this.RULE("names", () => {
    this.CONSUME(Identifier, { LABEL: "name" });
    this.MANY(() => {
      this.CONSUME(Symbols.comma);
      this.CONSUME1(Identifier, { LABEL: "name" });
    });
  });

  /** `{i, f, o}` behind a dot. */
  protected family = this.RULE("family", () => {
    this.CONSUME(Symbols.openBrace);
    this.CONSUME(Identifier, { LABEL: "name" });
    this.MANY({
      GATE: () => this.LA(2).tokenType !== Symbols.closeBrace,
      DEF: () => {
        this.CONSUME(Symbols.comma);
        this.CONSUME1(Identifier, { LABEL: "name" });
      },
    });
    this.OPTION(() => this.CONSUME1(Symbols.comma));
    this.CONSUME(Symbols.closeBrace);
  });

  protected type = this.RULE("type", () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.axes) },
      {
        ALT: () => {
          this.CONSUME(word("bool"));
          this.OPTION(() => this.SUBRULE1(this.axes));
        },
      },
      {
        ALT: () => {
          this.CONSUME(word("tok"));
          this.CONSUME(Symbols.openParen);
          this.SUBRULE(this.expression, { LABEL: "vocabulary" });
          this.CONSUME(Symbols.closeParen);
          this.OPTION1(() => this.SUBRULE2(this.axes));
        },
      },
    ]);
  });

  protected axes = this.RULE("axes", () => {
    this.CONSUME(Symbols.openBracket);
    this.OPTION({
      GATE: () => this.LA(1).tokenType !== Symbols.closeBracket,
      DEF: () => this.listUpTo(Symbols.closeBracket, this.axis),
    });
    this.CONSUME(Symbols.closeBracket);
  });

  protected axis = this.RULE("axis", () => {
    this.OPTION({
      GATE: () => this.LA(2).tokenType === Symbols.colon,
      DEF: () => {
        this.CONSUME(Identifier, { LABEL: "label" });
        this.CONSUME(Symbols.colon);
      },
    });
    this.SUBRULE(this.expression, { LABEL: "size" });
  });

  // Expressions

  /** An expression with, in arguments and metrics, the way to choose a value: `phones by beam(5)`. */
  protected chosen = this.RULE("chosen", () => {
    this.SUBRULE(this.expression, { LABEL: "value" });
    this.OPTION({
      GATE: () => this.startsOperand(2),
      DEF: () => {
        this.CONSUME(word("by"));
        this.SUBRULE1(this.expression, { LABEL: "method" });
      },
    });
  });

  protected expression = this.RULE("expression", () => {
    this.SUBRULE(this.negation, { LABEL: "operand" });
    this.MANY({
      GATE: () => !this.isName(1) || this.startsOperand(2),
      DEF: () => {
        this.OR(this.logicAlternatives);
        this.SUBRULE1(this.negation, { LABEL: "operand" });
      },
    });
  });

  private logicAlternatives = logicOperators.map((type) => ({
    ALT: () => this.CONSUME(type, { LABEL: "operator" }),
  }));

  protected negation = this.RULE("negation", () => {
    this.MANY({
      GATE: () => this.startsOperand(2),
      DEF: () => this.CONSUME(word("not")),
    });
    this.SUBRULE(this.arithmetic);
  });

  protected arithmetic = this.RULE("arithmetic", () => {
    this.SUBRULE(this.unary, { LABEL: "operand" });
    this.MANY(() => {
      this.OR(this.arithmeticAlternatives);
      this.SUBRULE1(this.unary, { LABEL: "operand" });
    });
  });

  private arithmeticAlternatives = arithmeticOperators.map((type) => ({
    ALT: () => this.CONSUME(type, { LABEL: "operator" }),
  }));

  protected unary = this.RULE("unary", () => {
    this.MANY(() => this.CONSUME(Symbols.minus));
    this.SUBRULE(this.postfix);
    this.MANY1(() => {
      this.CONSUME(word("else"));
      this.SUBRULE(this.otherwise);
    });
  });

  protected otherwise = this.RULE("otherwise", () => {
    this.MANY(() => this.CONSUME(Symbols.minus));
    this.SUBRULE(this.postfix);
  });

  protected postfix = this.RULE("postfix", () => {
    this.SUBRULE(this.primary);
    this.MANY(() => this.SUBRULE(this.suffix));
  });

  protected suffix = this.RULE("suffix", () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.arguments_) },
      { ALT: () => this.SUBRULE(this.subscripts) },
      {
        ALT: () => {
          this.CONSUME(Symbols.dot);
          this.OR1({
            DEF: [{ ALT: () => this.CONSUME(Identifier, { LABEL: "name" }) }, { ALT: () => this.SUBRULE(this.family) }],
          });
        },
      },
    ]);
  });

  protected arguments_ = this.RULE("arguments", () => {
    this.CONSUME(Symbols.openParen);
    this.OPTION({
      GATE: () => this.LA(1).tokenType !== Symbols.closeParen,
      DEF: () => this.listUpTo(Symbols.closeParen, this.argument),
    });
    this.CONSUME(Symbols.closeParen);
  });

  protected argument = this.RULE("argument", () => {
    this.OPTION({
      GATE: () => this.LA(2).tokenType === Symbols.colon,
      DEF: () => {
        this.CONSUME(Identifier, { LABEL: "name" });
        this.CONSUME(Symbols.colon);
      },
    });
    this.SUBRULE(this.chosen);
  });

  protected subscripts = this.RULE("subscripts", () => {
    this.CONSUME(Symbols.openBracket);
    this.listUpTo(Symbols.closeBracket, this.subscript);
    this.CONSUME(Symbols.closeBracket);
  });

  protected subscript = this.RULE("subscript", () => {
    this.OR([
      {
        ALT: () => {
          this.SUBRULE(this.expression, { LABEL: "from" });
          this.OPTION(() => {
            this.CONSUME(Symbols.colon);
            this.OPTION1(() => this.SUBRULE1(this.expression, { LABEL: "to" }));
          });
        },
      },
      {
        ALT: () => {
          this.CONSUME1(Symbols.colon);
          this.OPTION2(() => this.SUBRULE2(this.expression, { LABEL: "to" }));
        },
      },
    ]);
  });

  protected primary = this.RULE("primary", () => {
    this.OR([
      { ALT: () => this.CONSUME(NumberToken) },
      { ALT: () => this.CONSUME(StringToken) },
      {
        ALT: () => {
          this.CONSUME(Identifier, { LABEL: "name" });
          this.OPTION(() => this.CONSUME(Prime));
        },
      },
      { ALT: () => this.SUBRULE(this.scan) },
      { ALT: () => this.SUBRULE(this.group) },
      { ALT: () => this.SUBRULE(this.list) },
    ]);
  });

  /** `(a)`, `(a, b)`, and `(a,)` for a tuple of one. */
  protected group = this.RULE("group", () => {
    this.CONSUME(Symbols.openParen);
    this.listUpTo(Symbols.closeParen, this.expression, { LABEL: "item" });
    this.CONSUME(Symbols.closeParen);
  });

  protected list = this.RULE("list", () => {
    this.CONSUME(Symbols.openBracket);
    this.OPTION({
      GATE: () => this.LA(1).tokenType !== Symbols.closeBracket,
      DEF: () => this.listUpTo(Symbols.closeBracket, this.expression, { LABEL: "item" }),
    });
    this.CONSUME(Symbols.closeBracket);
  });

  protected scan = this.RULE("scan", () => {
    this.CONSUME(word("scan"));
    this.SUBRULE(this.postfix, { LABEL: "cell" });
    this.CONSUME(word("over"));
    this.SUBRULE(this.arithmetic, { LABEL: "over" });
    this.OPTION(() => {
      this.CONSUME(word("from"));
      this.SUBRULE1(this.arithmetic, { LABEL: "from" });
    });
    this.OPTION1(() => this.CONSUME(word("reverse")));
  });
}
