/** The streams of a real process: a reader that leaves, input to its end, a question, Ctrl-C once and twice. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { needs, program } from "../../../support/needs.ts";

const module = fileURLToPath(
  new URL("../../../../src/platform/node/node-terminal.ts", import.meta.url),
);

interface Child {
  readonly out: () => string;
  readonly err: () => string;
  readonly process: ReturnType<typeof spawn>;
  readonly ended: Promise<unknown>;
}

/** Runs `body` in a process of its own, with a terminal called `t`; on a real terminal where `tty`. */
function run(body: string, tty = false): Child {
  const script = `import { nodeTerminal } from ${JSON.stringify(module)};\nconst t = nodeTerminal();\n${body}`;
  const words = [process.execPath, "--input-type=module", "-e", script];
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const [command = "", ...rest] = tty ? ["script", "-qec", quoted, "/dev/null"] : words;
  const child = spawn(command, rest, {
    cwd: fileURLToPath(new URL("../../../../", import.meta.url)),
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += String(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += String(chunk);
  });
  return { out: () => out, err: () => err, process: child, ended: once(child, "exit") };
}

test("data and messages are apart, and no pipe is a terminal", async () => {
  const child = run(`
    await t.writeOutput("data\\n");
    t.writeError([t.inputIsTerminal, t.outputIsTerminal, t.errorIsTerminal, t.columns()].join());
  `);
  await child.ended;
  expect([child.out(), child.err()]).toEqual(["data\n", "false,false,false,80"]);
});

test("a reader that leaves is an error with a name, now and later", async () => {
  const child = run(`
    const codes = [];
    for (let count = 0; count < 200 && codes.length < 2; count += 1) {
      try {
        await t.writeOutput(Buffer.alloc(65536));
      } catch (error) {
        codes.push(error.code);
      }
    }
    t.writeError(codes.join());
  `);
  child.process.stdout?.destroy();
  await child.ended;
  expect(child.err()).toBe("EPIPE,EPIPE");
});

test("input is read to its end", async () => {
  const child = run(`
    let count = 0;
    for await (const chunk of t.readInput()) count += chunk.length;
    await t.writeOutput(String(count));
  `);
  child.process.stdin?.write(Buffer.alloc(100_000));
  child.process.stdin?.end("abc");
  await child.ended;
  expect(child.out()).toBe("100003");
});

test("a question is answered with a line, and with nothing at the end of input", async () => {
  const child = run(`
    const first = await t.ask("one? ");
    const second = await t.ask("two? ");
    await t.writeOutput(JSON.stringify([first, second]));
  `);
  child.process.stdin?.write("yes\n");
  await expect.poll(child.err, { timeout: 5000 }).toContain("two?");
  child.process.stdin?.end();
  await child.ended;
  expect([child.out(), child.err()]).toEqual(['["yes",""]', "one? two? "]);
});

test("the first interrupt is handled, the second ends the process", async () => {
  const child = run(`
    t.onInterrupt(() => t.writeError("once "));
    setInterval(() => {}, 1000);
    await t.writeOutput("ready");
  `);
  await expect.poll(child.out, { timeout: 5000 }).toBe("ready");
  child.process.kill("SIGINT");
  await expect.poll(child.err).toBe("once ");
  child.process.kill("SIGTERM");
  expect(await child.ended).toEqual([130, null]);
});

test("a handler that was taken back leaves the signal to the system", async () => {
  const child = run(`
    t.onInterrupt(() => t.writeError("handled"))();
    setInterval(() => {}, 1000);
    await t.writeOutput("ready");
  `);
  await expect.poll(child.out, { timeout: 5000 }).toBe("ready");
  child.process.kill("SIGINT");
  expect(await child.ended).toEqual([null, "SIGINT"]);
  expect(child.err()).toBe("");
});

const onTerminal = needs(program("script", { apt: "bsdutils" }));

onTerminal("on a terminal everything is one, with a width", async () => {
  const child = run(
    "t.writeError([t.inputIsTerminal, t.outputIsTerminal, t.errorIsTerminal, t.columns() > 0].join());",
    true,
  );
  await child.ended;
  expect(child.out()).toContain("true,true,true,true");
});

for (const [what, key, expected] of [
  ["Ctrl-C at a question is an interrupt", "\u0003", "interrupted []"],
  ["Ctrl-D at a question is no answer", "\u0004", "[]"],
  ["a typed line is the answer", "yes\r", "[yes]"],
] as const) {
  onTerminal(what, async () => {
    const child = run(
      `
      t.onInterrupt(() => t.writeError("interrupted "));
      const answer = await t.ask("sure? ");
      t.writeError("[" + answer + "]");
      process.exit(0);
      `,
      true,
    );
    await expect.poll(child.out, { timeout: 5000 }).toContain("sure?");
    child.process.stdin?.write(key);
    await child.ended;
    expect(child.out()).toContain(expected);
  });
}
