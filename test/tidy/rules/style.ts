/** What the formatter and the linter do not see: headers, default exports, promises to do something later. */
import { at, type Source, visit } from "../source.ts";

const postponed = /\b(?:TODO|FIXME|XXX|HACK)\b|\btodo:/;
const minHeaderWords = 3;

/** Tests say what they are by their names; everything else opens with what it is. */
export function checkHeader(source: Source): string[] {
  if (source.path.endsWith(".test.ts")) return [];
  const words = (source.header ?? "").split(/\s+/).filter((word) => /\w/.test(word));
  if (words.length >= minHeaderWords) return [];
  return [`${source.path} does not open with a comment that says what it is`];
}

/** Comments that promise work. */
export function checkComments(source: Source): string[] {
  const found = source.comments.filter((comment) => postponed.test(comment.text));
  return found.map((comment) => `${source.path}:${comment.line} leaves work in a comment`);
}

/** Tools ask for a default export in their own configuration; nobody else has one. */
export function checkDefaultExports(source: Source): string[] {
  const problems: string[] = [];
  const report = (node: { readonly start: number }): void => {
    problems.push(`${at(source, node.start)} exports a default: export it by name`);
  };
  visit(source, {
    ExportDefaultDeclaration: report,
    ExportSpecifier: (node) => {
      if (node.exported.type === "Identifier" && node.exported.name === "default") report(node);
    },
  });
  return problems;
}
