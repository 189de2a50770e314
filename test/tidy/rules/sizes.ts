/** Files and functions stay small enough to be read at once. */
import type { ESTree } from "vite";
import { at, type Source, visit } from "../source.ts";

export const maxFileLines = 500;
export const maxFunctionLines = 70;
export const maxParameters = 3;

/** What is too long in a file. */
export function checkSizes(source: Source): string[] {
  const problems: string[] = [];
  const lines = source.lineAt(source.text.length - 1);
  if (lines > maxFileLines) problems.push(`${source.path} has ${lines} lines: split it`);
  const check = (node: ESTree.Function | ESTree.ArrowFunctionExpression): void => {
    const length = source.lineAt(node.end) - source.lineAt(node.start) + 1;
    const place = at(source, node.start);
    if (length > maxFunctionLines) problems.push(`${place} is a function of ${length} lines`);
    const parameters = node.params.filter((parameter) => !isThis(parameter)).length;
    if (parameters > maxParameters) problems.push(`${place} takes ${parameters} parameters`);
  };
  visit(source, {
    FunctionDeclaration: check,
    FunctionExpression: check,
    ArrowFunctionExpression: check,
  });
  return problems;
}

function isThis(parameter: ESTree.ParamPattern): boolean {
  return parameter.type === "Identifier" && parameter.name === "this";
}
