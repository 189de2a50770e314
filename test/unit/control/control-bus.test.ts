/** The table of operations: access, input, unknown names. */
import { expect, test } from "vitest";
import { choice, record, text } from "#base/schema.ts";
import { ControlBus } from "#control/control-bus.ts";
import { operation } from "#control/operation.ts";

const owner = { name: "a test", access: "owner" } as const;
const viewer = { name: "a guest", access: "viewer" } as const;

const greet = operation({
  name: "greet",
  says: "Says hello.",
  access: "operator",
  effect: "read",
  input: record({ name: text({ maxLength: 10 }), style: choice("loud", "quiet") }),
  output: record({ words: text({ maxLength: 100 }) }),
});

function busOf(): ControlBus {
  const bus = new ControlBus();
  bus.add(
    { greet },
    {
      greet: ({ name, style }, caller) => ({
        words: `${style} hello ${name} from ${caller.name}`,
      }),
    },
  );
  return bus;
}

test("an operation runs with checked input and its caller", async () => {
  const bus = busOf();
  expect(await bus.run(owner, "greet", { name: "you", style: "quiet" })).toEqual({
    words: "quiet hello you from a test",
  });
  expect(bus.operations).toEqual([greet]);
});

test.each([
  { caller: owner, name: "shout", input: {}, code: "operation-unknown" },
  { caller: viewer, name: "greet", input: { name: "you", style: "loud" }, code: "access-denied" },
  { caller: owner, name: "greet", input: { name: "you", style: "rude" }, code: "input-invalid" },
  {
    caller: owner,
    name: "greet",
    input: { name: "you", style: "loud", more: 1 },
    code: "input-invalid",
  },
  { caller: owner, name: "greet", input: undefined, code: "input-invalid" },
] as const)("$caller.name asks for $name with $input: $code", async (row) => {
  const asking = busOf().run(row.caller, row.name, row.input);
  await expect(asking).rejects.toMatchObject({ code: row.code });
});

test("who may not is told before the input is looked at", async () => {
  await expect(busOf().run(viewer, "greet", "nonsense")).rejects.toThrow("is for the operator");
});

test("an operation has one handler", () => {
  const bus = busOf();
  expect(() => bus.add({ greet }, { greet: () => ({ words: "" }) })).toThrow("was added before");
});
