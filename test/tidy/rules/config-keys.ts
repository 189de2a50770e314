/** A setting that nobody reads is a lie to whoever sets it. */
import type { ESTree } from "vite";
import { type Source, visit } from "../source.ts";

/** The way to a setting in the config, such as `["tracker", "trunk", "fileSizeBytes"]`. */
export type PropertyPath = readonly string[];

interface Read {
  readonly path: string;
  /** What the member is taken from, in lower case; empty where a pattern of a parameter takes it. */
  readonly owner: string;
}

/**
 * Settings that no source outside of `config/` reads. A read is the setting's own name as a member of something called after
 * its table (`config.tracker.port`, `trackerConfig.port`), or as any member in the folder of its section (`src/tracker/`).
 */
export function findUnreadKeys(
  sources: readonly Source[],
  keys: readonly PropertyPath[],
): string[] {
  const outside = sources.filter((source) => !source.path.startsWith("src/config/"));
  const reads = collectReads(outside);
  const unread = keys.filter((key) => !(reads.get(key.at(-1) ?? "") ?? []).some(isReadOf(key)));
  return unread.map((key) => `${key.join(".")} is read by nobody`);
}

function isReadOf(key: PropertyPath): (read: Read) => boolean {
  const table = singular(key.at(-2) ?? "").toLowerCase();
  const folder = `src/${key[0]}/`;
  return (read) => read.owner.includes(table) || read.path.startsWith(folder);
}

/** An element of `paths` is called after one `path`. */
function singular(name: string): string {
  return name.replace(/s$/, "");
}

function collectReads(sources: readonly Source[]): Map<string, Read[]> {
  const reads = new Map<string, Read[]>();
  for (const source of sources) {
    const add = (name: string, owner: string): void => {
      const known = reads.get(name) ?? [];
      known.push({ path: source.path, owner: owner.toLowerCase() });
      reads.set(name, known);
    };
    visit(source, {
      MemberExpression: (node) => {
        if (node.property.type !== "Identifier" || node.computed) return;
        add(node.property.name, lastName(node.object));
      },
      ObjectPattern: (node) => {
        for (const name of takenNames(node)) add(name, "");
      },
      VariableDeclarator: (node) => {
        if (node.id.type !== "ObjectPattern" || node.init === null) return;
        for (const name of takenNames(node.id)) add(name, lastName(node.init));
      },
    });
  }
  return reads;
}

/** `port` of `{ port: own }`. */
function takenNames({ properties }: ESTree.ObjectPattern): string[] {
  return properties.flatMap((each) =>
    each.type === "Property" && each.key.type === "Identifier" ? [each.key.name] : [],
  );
}

/** `tracker` of `config.tracker` and of `tracker`. */
function lastName(node: { readonly type: string }): string {
  const named = node as { name?: unknown; property?: { name?: unknown } };
  const name = node.type === "MemberExpression" ? named.property?.name : named.name;
  return typeof name === "string" ? name : "";
}
