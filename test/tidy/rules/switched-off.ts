/** Every test runs: what a machine lacks is said by `test/support/needs.ts`, and nothing else switches a test off. */
import type { ESTree } from "vite";
import { at, type Source, visit } from "../source.ts";

const runners = ["test", "it", "describe", "suite", "bench", "expect"];
const switches = ["only", "skip", "skipIf", "runIf", "todo", "fails"];

/** Tests that are switched off, or switch the others off. */
export function checkSwitchedOff(source: Source): string[] {
  const problems: string[] = [];
  visit(source, {
    MemberExpression: (node) => {
      if (node.property.type !== "Identifier" || !switches.includes(node.property.name)) return;
      if (!isRunner(node.object)) return;
      problems.push(`${at(source, node.start)} switches tests off by .${node.property.name}`);
    },
  });
  return problems;
}

/** `test` itself, or a chain that begins with it, such as `test.concurrent`. */
function isRunner(node: ESTree.Expression): boolean {
  if (node.type === "Identifier") return runners.includes(node.name);
  if (node.type === "MemberExpression") return isRunner(node.object);
  return node.type === "CallExpression" && isRunner(node.callee);
}
