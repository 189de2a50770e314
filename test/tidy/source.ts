/**
 * One TypeScript file as the rules see it: its text, its syntax tree and what it imports. Parsed by the parser that vitest's
 * bundler uses; pure.
 */
import { dirname, join } from "node:path/posix";
import { type ESTree, parseSync, Visitor, type VisitorObject } from "vite";

export interface Import {
  /** A place is named by `new URL("…", import.meta.url)`: a thread's entry, a file of the repository. */
  readonly kind: "module" | "place";
  /** As written, such as `#base/assert.ts`. */
  readonly specifier: string;
  readonly line: number;
  /** What is imported by name; `*` for a whole module, `default` for its default export. */
  readonly names: readonly string[];
  /** The file in this repository that it means; undefined for packages and Node's own modules. */
  readonly target: string | undefined;
}

export interface Comment {
  readonly text: string;
  readonly line: number;
}

export interface Source {
  /** Relative to the repository, such as `src/base/assert.ts`. */
  readonly path: string;
  readonly text: string;
  readonly program: ESTree.Program;
  readonly imports: readonly Import[];
  readonly comments: readonly Comment[];
  /** The comment before everything else. */
  readonly header: string | undefined;
  /** Line of an offset, from 1. */
  lineAt(offset: number): number;
}

/** Throws where `text` is not TypeScript. */
export function parseSource(path: string, text: string): Source {
  const parsed = parseSync(path, text);
  const [error] = parsed.errors;
  if (error !== undefined) throw new SyntaxError(`${path}: ${error.message}`);
  const lineAt = lineFinder(text);
  const comments = parsed.comments.map((comment) => ({
    text: comment.value,
    line: lineAt(comment.start),
  }));
  const [first] = parsed.comments;
  const header = first?.start === 0 ? first.value : undefined;
  const source = { path, text, program: parsed.program, comments, header, lineAt };
  return { ...source, imports: collectImports(path, parsed.program, lineAt) };
}

/** A place in a file, as editors take it. */
export function at(source: Source, offset: number): string {
  return `${source.path}:${source.lineAt(offset)}`;
}

/** Walks the whole syntax tree of a file. */
export function visit(source: Source, visitor: VisitorObject): void {
  new Visitor(visitor).visit(source.program);
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let index = text.indexOf("\n"); index >= 0; index = text.indexOf("\n", index + 1)) {
    starts.push(index + 1);
  }
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}

/** Static, re-exported, dynamic and type imports, and files named by `new URL("…", import.meta.url)`. */
function collectImports(
  path: string,
  program: ESTree.Program,
  lineAt: (offset: number) => number,
): Import[] {
  const imports: Import[] = [];
  const add = (literal: unknown, names: readonly string[], kind: Import["kind"] = "module") => {
    const node = literal as { type?: string; value?: unknown; start: number } | null | undefined;
    if (node?.type !== "Literal" || typeof node.value !== "string") return;
    const specifier = node.value;
    const line = lineAt(node.start);
    imports.push({ kind, specifier, line, names, target: resolveImport(path, specifier) });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.specifiers.map(importedName)),
    ExportNamedDeclaration: (node) =>
      add(
        node.source,
        node.specifiers.map(({ local }) => nameOf(local)),
      ),
    ExportAllDeclaration: (node) => add(node.source, ["*"]),
    ImportExpression: (node) => add(node.source, ["*"]),
    TSImportType: (node) => add(node.source, ["*"]),
    NewExpression: (node) => {
      const isUrl = node.callee.type === "Identifier" && node.callee.name === "URL";
      if (isUrl && node.arguments.length === 2) add(node.arguments[0], ["*"], "place");
    },
  }).visit(program);
  return imports.sort((left, right) => left.line - right.line);
}

function importedName(specifier: ESTree.ImportDeclarationSpecifier): string {
  if (specifier.type === "ImportSpecifier") return nameOf(specifier.imported);
  return specifier.type === "ImportDefaultSpecifier" ? "default" : "*";
}

function nameOf(name: ESTree.ModuleExportName): string {
  return name.type === "Literal" ? name.value : name.name;
}

function resolveImport(importer: string, specifier: string): string | undefined {
  if (specifier.startsWith("#")) return `src/${specifier.slice(1)}`;
  if (specifier.startsWith(".")) return join(dirname(importer), specifier);
  return undefined;
}
