/** Real children that are talked to line by line. */
import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import type { Child } from "#platform/children.ts";
import { nodeChildren, selfCommand } from "#platform/node/node-children.ts";

const children = nodeChildren();
const started: Child[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.abandon();
});

function start(...words: readonly [string, ...string[]]): Child {
  const [program, ...parameters] = words;
  const child = children.start(program, parameters);
  started.push(child);
  return child;
}

function output(child: Child, wanted: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.onOutput = (bytes) => {
      text += Buffer.from(bytes).toString();
      if (text.includes(wanted)) resolve(text);
    };
    child.onEnd = (why) => reject(new Error(why));
    setTimeout(() => reject(new Error("nothing came")), 10_000).unref();
  });
}

function ended(child: Child): Promise<string> {
  return new Promise((resolve) => {
    child.onEnd = resolve;
  });
}

function isAlive(processId: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${processId}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("what is written comes in, and what it says comes back", async () => {
  const child = start("cat");
  child.write("one\n");
  expect(await output(child, "one\n")).toBe("one\n");
  child.write("two\n");
  expect(await output(child, "two\n")).toBe("two\n");
});

test("the end of a child is told with what it said about it", async () => {
  expect(await ended(start("sh", "-c", "echo broken >&2; exit 3"))).toBe("ended with 3: broken");
  expect(await ended(start("sh", "-c", "kill -9 $$"))).toBe("was ended by SIGKILL");
  expect(await ended(start("no-such-program-of-ours"))).toContain("no program");
});

test("an abandoned child is gone with what it started, and tells nothing more", async () => {
  const child = start("sh", "-c", "sleep 60 & echo $!; wait");
  const inner = Number((await output(child, "\n")).trim());
  let told = 0;
  child.onEnd = () => {
    told += 1;
  };
  child.abandon();
  for (let tries = 0; tries < 300 && isAlive(inner); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect([isAlive(inner), told]).toEqual([false, 0]);
  child.write("to nobody");
  child.abandon();
});

test("the program itself is started with room for file calls that hang", async () => {
  const sources = selfCommand();
  expect(sources.parameters.at(-1)).toMatch(/src\/main\.ts$/);
  const self = nodeChildren(() => ({ program: process.execPath, parameters: ["-e"] }));
  const child = self.startSelf(["console.log(process.env.UV_THREADPOOL_SIZE)"]);
  started.push(child);
  expect(await output(child, "\n")).toBe("32\n");
});
