/** Time, chance, environment and output are handed in; nobody reaches for the global ones. */
import type { ESTree } from "vite";
import { realWorld } from "../layers.ts";
import { at, type Source, visit } from "../source.ts";

/** Global name to what to use instead. */
const forbidden: ReadonlyMap<string, string> = new Map([
  ["setTimeout", "Clock"],
  ["setInterval", "Clock"],
  ["setImmediate", "Clock"],
  ["clearTimeout", "Clock"],
  ["clearInterval", "Clock"],
  ["performance", "Clock"],
  ["crypto", "Random or node:crypto's hashes"],
  ["process", "the platform or the config"],
  ["console", "Log"],
  ["fetch", "the client of the protocol"],
  ["require", "import"],
]);

const forbiddenMembers: ReadonlyMap<string, string> = new Map([
  ["Date.now", "Clock"],
  ["Math.random", "Random"],
]);

/** It starts and ends the process, so it may name it. */
const exceptions: ReadonlyMap<string, readonly string[]> = new Map([["src/main.ts", ["process"]]]);

/** Forbidden globals in a file of `src/` outside of the real world. */
export function checkGlobals(source: Source): string[] {
  if (!source.path.startsWith("src/") || source.path.startsWith(realWorld)) return [];
  const allowed = exceptions.get(source.path) ?? [];
  const problems = new Set<string>();
  const report = (node: ESTree.Span, name: string, instead: string | undefined): void => {
    if (instead === undefined || allowed.includes(name)) return;
    problems.add(`${at(source, node.start)} uses ${name}: use ${instead}`);
  };
  const names = memberNames(source);
  const own = boundNames(source);
  visit(source, {
    Identifier: (node) => {
      if (!names.has(node.start) && !own.has(node.name))
        report(node, node.name, forbidden.get(node.name));
    },
    MemberExpression: (node) => {
      if (node.object.type !== "Identifier" || node.property.type !== "Identifier") return;
      const name = `${node.object.name}.${node.property.name}`;
      report(node, name, node.computed ? undefined : forbiddenMembers.get(name));
    },
    NewExpression: (node) => {
      const isDate = node.callee.type === "Identifier" && node.callee.name === "Date";
      if (isDate && node.arguments.length === 0) report(node, "new Date()", "Clock");
    },
  });
  return [...problems];
}

/** Where a name stands for a member of something and not for a global: `x.process`, `{ process: 1 }`, `process() {}`. */
function memberNames(source: Source): Set<number> {
  const starts = new Set<number>();
  const add = (node: { readonly key: ESTree.Span; readonly computed?: boolean }): void => {
    if (node.computed !== true) starts.add(node.key.start);
  };
  visit(source, {
    MemberExpression: (node) => {
      if (!node.computed) starts.add(node.property.start);
    },
    Property: (node) => {
      if (!node.shorthand) add(node);
    },
    MethodDefinition: add,
    PropertyDefinition: add,
    TSPropertySignature: add,
    TSMethodSignature: add,
    ImportSpecifier: (node) => {
      starts.add(node.imported.start);
    },
  });
  return starts;
}

/** Names that the file gives to something of its own. */
function boundNames(source: Source): Set<string> {
  const names = new Set<string>();
  const add = (pattern: { readonly type: string } | null): void => {
    const node = pattern as { type?: string; name?: unknown } | null;
    if (node?.type === "Identifier" && typeof node.name === "string") names.add(node.name);
  };
  const addFunction = (node: ESTree.Function | ESTree.ArrowFunctionExpression): void => {
    add(node.id);
    for (const parameter of node.params) add(parameter);
  };
  visit(source, {
    FunctionDeclaration: addFunction,
    FunctionExpression: addFunction,
    ArrowFunctionExpression: addFunction,
    VariableDeclarator: (node) => add(node.id),
    ImportSpecifier: (node) => add(node.local),
  });
  return names;
}
