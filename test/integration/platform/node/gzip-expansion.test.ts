import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { FileError } from "#platform/files.ts";
import { expandGzip } from "#platform/node/gzip-expansion.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { withDirectory } from "../../../support/engine-fixture.ts";

test("content comes out as it went in, empty or in several members too", () => {
  withDirectory((directory) => {
    const text = "1700000000 C M00/00/00/some-file\n".repeat(200_000);
    const contents = [gzipSync(text), gzipSync(""), Buffer.concat([gzipSync("a"), gzipSync("b")])];
    for (const [number, content] of contents.entries()) {
      writeFileSync(`${directory}/${number}.gz`, content);
      new NodeFiles().expand(`${directory}/${number}.gz`, `${directory}/${number}`);
    }
    const results = [0, 1, 2].map((number) => readFileSync(`${directory}/${number}`, "latin1"));
    expect(results[0] === text).toBe(true);
    expect(results.slice(1)).toEqual(["", "ab"]);
  });
});

test("what is damaged, cut off or not there fails, and leaves nothing", () => {
  withDirectory((directory) => {
    const whole = gzipSync("1700000000 C M00/00/00/some-file\n".repeat(1000));
    const damaged = Buffer.from(whole);
    damaged.fill(0x55, whole.length - 12, whole.length - 4);
    writeFileSync(`${directory}/damaged.gz`, damaged);
    writeFileSync(`${directory}/cut.gz`, whole.subarray(0, whole.length - 9));
    writeFileSync(`${directory}/text.gz`, "no gzip at all");
    const codes = ["damaged", "cut", "text", "none"].map((name) => {
      try {
        expandGzip(`${directory}/${name}.gz`, `${directory}/out`);
        return "expanded";
      } catch (error) {
        return error instanceof FileError ? error.code : String(error);
      }
    });
    expect(codes).toEqual(["EINVAL", "EINVAL", "EINVAL", "ENOENT"]);
    expect(existsSync(`${directory}/out`)).toBe(false);
  });
});

test("a file that is there is not overwritten", () => {
  withDirectory((directory) => {
    writeFileSync(`${directory}/a.gz`, gzipSync("new"));
    writeFileSync(`${directory}/a`, "old");
    expect(() => expandGzip(`${directory}/a.gz`, `${directory}/a`)).toThrow("EEXIST");
    expect(readFileSync(`${directory}/a`, "latin1")).toBe("old");
  });
});
