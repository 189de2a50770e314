/**
 * What a file costs the engine of one store path, without sockets and threads: 4 KiB creates, relaxed and flushed, alone and in
 * batches. Run as `node test/bench/engine.bench.ts [directory] [files]`; the directory must be on the file system that is to be
 * measured. Directories are not removed before the end, because creating files right after mass deletes is slow on ext4.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Log } from "#base/log.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { nodeRandom } from "#platform/node/node-random.ts";

const parent = process.argv[2] ?? tmpdir();
const fileCount = Number(process.argv[3] ?? 20_000);
const bodyBytes = 4096;

interface Variant {
  readonly durability: StorePathSettings["durability"];
  readonly batch: number;
  readonly files: number;
}

const variants: readonly Variant[] = [
  { durability: "relaxed", batch: 1, files: fileCount },
  { durability: "relaxed", batch: 32, files: fileCount },
  { durability: "flushed", batch: 1, files: Math.ceil(fileCount / 10) },
  { durability: "flushed", batch: 32, files: Math.ceil(fileCount / 4) },
];

mkdirSync(parent, { recursive: true });
const root = mkdtempSync(join(parent, "cairn-bench-"));
try {
  for (const [number, variant] of variants.entries()) {
    const directory = join(root, String(number));
    mkdirSync(directory);
    run(directory, variant);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

function run(directory: string, variant: Variant): void {
  const engine = StorePathEngine.open(
    {
      index: 0,
      directory,
      readOnly: false,
      subdirCount: 256,
      createAllDirectories: false,
      distribution: "round-robin",
      rotateCount: 100,
      durability: variant.durability,
      source: { kind: "address", address: "127.0.0.1" },
      adoptBasePath: "",
    },
    {
      files: new NodeFiles(),
      clock: nodeClock,
      random: nodeRandom(),
      log: new Log("bench", () => {}),
    },
  );
  const body = Buffer.alloc(bodyBytes, "x");
  create(engine, body, { count: Math.min(2000, variant.files), batch: variant.batch });
  const startCpu = process.cpuUsage();
  const start = performance.now();
  create(engine, body, { count: variant.files, batch: variant.batch });
  const wallMs = performance.now() - start;
  const cpu = process.cpuUsage(startCpu);
  const each = (micros: number): string => (micros / variant.files).toFixed(1);
  console.log(
    `${variant.durability} batch ${variant.batch}: ${Math.round((variant.files / wallMs) * 1000)} ops/s, ` +
      `${each(wallMs * 1000)} µs wall, ${each(cpu.user + cpu.system)} µs CPU (${each(cpu.user)} user)`,
  );
  engine.close();
}

function create(
  engine: StorePathEngine,
  body: Buffer,
  amount: { readonly count: number; readonly batch: number },
): void {
  for (let done = 0; done < amount.count; done += amount.batch) {
    const changes = [];
    for (let index = 0; index < amount.batch && done + index < amount.count; index += 1) {
      body.writeUInt32LE(done + index);
      const handle = engine.startWrite({ kind: "normal", extension: "jpg" }, body.length);
      handle.write(body);
      changes.push(handle.finish());
    }
    engine.commit(changes);
    for (const { error } of changes) if (error !== undefined) throw error;
  }
}
