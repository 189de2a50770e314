import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Expansion } from "#platform/files.ts";
import { GzipExpansion } from "#platform/node/gzip-expansion.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { withDirectory } from "../../../support/engine-fixture.ts";

const mib = 1024 * 1024;

/** How many steps it took. */
function runToEnd(expansion: Expansion): number {
  let steps = 1;
  while (!expansion.step()) steps += 1;
  return steps;
}

function codeOf(action: () => unknown): string {
  try {
    action();
    return "";
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    expect(message).toContain(`${code}: `);
    return code ?? message;
  }
}

test("content comes out as it went in, empty or in several members too", () => {
  withDirectory((directory) => {
    const text = "1700000000 C M00/00/00/some-file\n".repeat(200_000);
    const contents = [gzipSync(text), gzipSync(""), Buffer.concat([gzipSync("a"), gzipSync("b")])];
    for (const [number, content] of contents.entries()) {
      writeFileSync(`${directory}/${number}.gz`, content);
      const [from, to] = [`${directory}/${number}.gz`, `${directory}/${number}`] as const;
      const expansion = new NodeFiles().expand(from, to, text.length);
      runToEnd(expansion);
      expansion.stop();
    }
    const results = [0, 1, 2].map((number) => readFileSync(`${directory}/${number}`, "latin1"));
    expect(results[0] === text).toBe(true);
    expect(results.slice(1)).toEqual(["", "ab"]);
  });
});

test("64 MiB come in many steps, and never lie in memory", () => {
  withDirectory((directory) => {
    const member = gzipSync(Buffer.alloc(mib, "1700000000 C M00/00/00/some-file\n"));
    writeFileSync(`${directory}/a.gz`, Buffer.concat(Array.from({ length: 64 }, () => member)));
    const before = process.memoryUsage().rss;
    let most = 0;
    let steps = 1;
    const expansion = new GzipExpansion(`${directory}/a.gz`, `${directory}/a`, 64 * mib);
    for (; !expansion.step(); steps += 1) {
      if (steps % 16 === 0) most = Math.max(most, process.memoryUsage().rss);
    }
    expect(readFileSync(`${directory}/a`).length).toBe(64 * mib);
    expect(steps).toBeGreaterThan(20);
    // The other thread, an empty one, takes a few MiB itself.
    expect(most - before).toBeLessThan(40 * mib);
  });
});

test("what is damaged, cut off, too much or not there fails, and leaves nothing", () => {
  withDirectory((directory) => {
    const whole = gzipSync("1700000000 C M00/00/00/some-file\n".repeat(1000));
    const damaged = Buffer.from(whole);
    damaged.fill(0x55, whole.length - 12, whole.length - 4);
    const wrongCrc = Buffer.from(whole);
    wrongCrc[whole.length - 8] = (wrongCrc[whole.length - 8] as number) ^ 1;
    writeFileSync(`${directory}/damaged.gz`, damaged);
    writeFileSync(`${directory}/crc.gz`, wrongCrc);
    writeFileSync(`${directory}/cut.gz`, whole.subarray(0, whole.length - 9));
    writeFileSync(`${directory}/text.gz`, "no gzip at all");
    writeFileSync(`${directory}/bomb.gz`, gzipSync(Buffer.alloc(8 * mib)));
    const codes = ["damaged", "crc", "cut", "text", "bomb", "none"].map((name) =>
      codeOf(() => runToEnd(new GzipExpansion(`${directory}/${name}.gz`, `${directory}/out`, mib))),
    );
    expect(codes).toEqual(["EINVAL", "EINVAL", "EINVAL", "EINVAL", "EFBIG", "ENOENT"]);
    expect(existsSync(`${directory}/out`)).toBe(false);
  });
});

test("one that is stopped leaves nothing, and writes nothing into what has its name then", async () => {
  await withDirectory(async (directory) => {
    writeFileSync(`${directory}/a.gz`, gzipSync(Buffer.alloc(16 * mib, "text")));
    for (const steps of [0, 1, 5, 20]) {
      rmSync(`${directory}/a`, { force: true });
      const expansion = new GzipExpansion(`${directory}/a.gz`, `${directory}/a`, 16 * mib);
      for (let step = 0; step < steps; step += 1) if (expansion.step()) break;
      expansion.stop();
      writeFileSync(`${directory}/a`, "another one's");
      expansion.stop();
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(readFileSync(`${directory}/a`, "latin1")).toBe("another one's");
    }
    expect(readdirSync(directory).sort()).toEqual(["a", "a.gz"]);
  });
});

test("a file that is there is not overwritten", () => {
  withDirectory((directory) => {
    writeFileSync(`${directory}/a.gz`, gzipSync("new"));
    writeFileSync(`${directory}/a`, "old");
    const expand = () => new NodeFiles().expand(`${directory}/a.gz`, `${directory}/a`, mib);
    expect(codeOf(expand)).toBe("EEXIST");
    expect(readFileSync(`${directory}/a`, "latin1")).toBe("old");
  });
});
