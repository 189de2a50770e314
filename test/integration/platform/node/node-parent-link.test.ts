/** A child's streams, from within a real child. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const source = fileURLToPath(
  new URL("../../../../src/platform/node/node-parent-link.ts", import.meta.url),
);

function child(script: string) {
  const code = `import { nodeParentLink } from ${JSON.stringify(source)}; const link = nodeParentLink(); ${script}`;
  const flags = ["--input-type=module", "--no-warnings", "-e"];
  return spawn(process.execPath, [...flags, code], { stdio: ["pipe", "pipe", "inherit"] });
}

test("input comes in, output goes out whole though the pipe is full, and the end is told", async () => {
  const echo = child(
    "link.onInput = (bytes) => link.write('x'.repeat(Number(bytes)) + '\\n'); link.onEnd = () => process.exit(7);",
  );
  const size = 3_000_000;
  echo.stdin.write(String(size));
  let received = 0;
  let isFirst = true;
  for await (const chunk of echo.stdout as AsyncIterable<Buffer>) {
    // A reader that takes its time.
    if (isFirst) await new Promise((resolve) => setTimeout(resolve, 50));
    isFirst = false;
    received += chunk.length;
    if (received > size) break;
  }
  expect(received).toBe(size + 1);
  echo.stdin.end();
  expect(await once(echo, "exit")).toEqual([7, null]);
});

test("what is written before a call that hangs arrives", async () => {
  const hanging = child("link.write('at sda\\n'); for (;;);");
  const [chunk] = (await once(hanging.stdout, "data")) as [Buffer];
  hanging.kill("SIGKILL");
  expect(chunk.toString()).toBe("at sda\n");
  await once(hanging, "exit");
});
