/**
 * What one inventory of a store path costs: `node test/bench/inventory.ts DIRECTORY FILES [KEEP]`. Makes names of normal files as hard links
 * of a few empty ones, evenly in 65,536 directories, walks over them as a worker does without anybody else to serve, three times, and
 * prints CPU seconds and memory. Removes the directory at the end.
 */
import { linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { leafCount } from "#filestore/inventory/inventory-table.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { InventoryWalk } from "#filestore/worker/inventory-walk.ts";
import { makeBase } from "#model/file-base.ts";
import { directoryName } from "#model/remote-filename.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeFiles } from "#platform/node/node-files.ts";

const namesAFile = 30_000;

function fill(directory: string, count: number): void {
  for (let at = 0; at < count; at += 1) {
    const leaf = at % leafCount;
    const path = `${directory}/data/${directoryName(leaf >> 8)}/${directoryName(leaf & 255)}`;
    if (at < leafCount) mkdirSync(path, { recursive: true });
    const first = `${directory}/first-${Math.floor(at / namesAFile)}`;
    if (at % namesAFile === 0) writeFileSync(first, "");
    linkSync(first, `${path}/${nameOf(at)}`);
  }
}

function nameOf(at: number): string {
  const source = { kind: "address", address: "10.9.0.2" } as const;
  const tail = `${String(at % 1000).padStart(3, "0")}.jpg`;
  const facts = { size: at, crc32: Math.imul(at, 0x9e3779b9) >>> 0, randomBits: at % 2 ** 23 };
  return makeBase({ source, timestamp: 1_700_000_000 + at, ...facts, kind: "normal", tail });
}

const [directory = "", files = "0", keep] = process.argv.slice(2);
if (directory === "" || !/^\d+$/.test(files)) {
  process.stderr.write("usage: node test/bench/inventory.ts DIRECTORY FILES [keep]\n");
  process.exit(64);
}
fill(directory, Number(files));
const walk = new InventoryWalk({
  files: new NodeFiles(),
  layout: new FileLayout(directory, 0),
  clock: nodeClock,
});
for (let round = 0; round < 3; round += 1) {
  const before = process.cpuUsage();
  const began = performance.now();
  const number = walk.begin(new Map(), 100);
  while (walk.step() !== undefined);
  const used = process.cpuUsage(before);
  const state = walk.state(number);
  const seconds = (value: number): string => (value / 1e6).toFixed(2);
  process.stdout.write(
    `${state?.files} files: ${seconds(used.user + used.system)} s of CPU (${seconds(used.system)} s in the kernel), ` +
      `${((performance.now() - began) / 1000).toFixed(2)} s, ${Math.round(process.memoryUsage().rss / 1e6)} MB resident\n`,
  );
}
if (keep === undefined) rmSync(directory, { recursive: true, force: true });
