/** Who imports whom, by the table in `layers.ts`. */
import { expect, test } from "vitest";
import { entries, layers } from "./layers.ts";
import { listFiles, readSources } from "./repository.ts";
import { checkImports } from "./rules/imports.ts";
import { parseSource } from "./source.ts";

function problems(path: string, ...imports: readonly string[]): string[] {
  const lines = imports.map((item) => `import { ${item.replace(" ", ' } from "')}";`);
  const found = checkImports(parseSource(path, lines.join("\n")));
  return found.map((problem) => problem.replace(`${path}:`, ""));
}

test("the sources keep to their layers", () => {
  expect(readSources(["src"]).flatMap(checkImports)).toEqual([]);
});

test("every folder of src is in the table", () => {
  const folders = new Set(listFiles("src").map((path) => path.split("/")[1]?.replace(/\.ts$/, "")));
  folders.delete("README.md");
  expect([...folders].filter((folder) => !layers.has(folder ?? ""))).toEqual([]);
});

test("the table knows no way up and no way round", () => {
  const order = [...layers.keys()];
  for (const [folder, reach] of layers) {
    for (const other of reach) expect(order.indexOf(other)).toBeLessThan(order.indexOf(folder));
  }
});

test("a lower layer may not import a higher one", () => {
  expect(problems("src/net/a.ts", "x #storage/b.ts", "y #protocol/c.ts")).toEqual([
    "1 imports #storage/b.ts: net may not import storage",
  ]);
  expect(problems("src/cli/a.ts", "x #client/b.ts", "y #daemon/c.ts")).toEqual([
    "2 imports #daemon/c.ts: cli may not import daemon",
  ]);
});

test("roles do not know each other, nor do words", () => {
  expect(problems("src/storage/a.ts", "x #tracker/b.ts")).toHaveLength(1);
  expect(problems("src/gateway/a.ts", "x #filestore/b.ts", "y #storage/b.ts")).toHaveLength(1);
  expect(problems("src/config/a.ts", "x #model/b.ts", "y #protocol/b.ts")).toHaveLength(1);
});

test("an unknown folder, a relative import and a missing ending are refused", () => {
  expect(problems("src/news/a.ts", "x #base/b.ts")).toEqual([
    "1 imports #base/b.ts: the folder news is not in test/tidy/layers.ts",
  ]);
  expect(problems("src/base/a.ts", "x ./b.ts", "y #base/b")).toEqual([
    "1 imports ./b.ts: imports within src start with #",
    "2 imports #base/b: name the file, with its ending",
  ]);
});

test("an internal folder is its parent's alone", () => {
  const internal = "x #filestore/trunk/internal/b.ts";
  expect(problems("src/filestore/trunk/a.ts", internal)).toEqual([]);
  expect(problems("src/filestore/trunk/internal/c.ts", internal)).toEqual([]);
  expect(problems("src/filestore/a.ts", internal)).toHaveLength(1);
});

test("only entries choose the real world", () => {
  const real = "x #platform/node/node-clock.ts";
  for (const { path } of entries) expect(problems(path, real)).toEqual([]);
  expect(problems("src/platform/node/a.ts", real)).toEqual([]);
  expect(problems("src/daemon/compose.ts", real)).toHaveLength(1);
  expect(problems("src/platform/clock.ts", real)).toHaveLength(1);
});

test("Node's modules for input and output stay in the real world", () => {
  expect(problems("src/platform/node/a.ts", "open node:fs")).toEqual([]);
  expect(problems("src/net/http-server.ts", "createServer node:http")).toEqual([]);
  expect(problems("src/filestore/a.ts", "open node:fs", "crc32 node:zlib")).toEqual([
    "1 imports node:fs: input and output belong to src/platform/node/",
  ]);
  expect(problems("src/filestore/a.ts", "createHash node:crypto", "gzip node:zlib")).toEqual([
    "2 imports node:zlib: gzip is not pure",
  ]);
});

test("the real world names entries by their place, and nobody names anything else", () => {
  const place = (path: string, target: string): string[] =>
    checkImports(parseSource(path, `new URL("${target}", import.meta.url);`));
  const entry = "../../filestore/worker/store-path-worker.ts";
  expect(place("src/platform/node/a.ts", entry)).toEqual([]);
  expect(place("src/platform/node/a.ts", "../../filestore/file-store.ts")).toHaveLength(1);
  expect(place("src/net/http/a.ts", entry)).toHaveLength(1);
});

test("a package stays where it belongs", () => {
  expect(problems("src/platform/node/a.ts", "Database better-sqlite3")).toEqual([]);
  expect(problems("src/tracker/a.ts", "Database better-sqlite3")).toHaveLength(1);
  expect(problems("src/config/a.ts", "parse smol-toml", "x left-pad")).toEqual([
    "2 imports left-pad: the package has no home in test/tidy/layers.ts",
  ]);
});
