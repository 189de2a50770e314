import { expect, test } from "vitest";
import { configError, formatProblem } from "#config/errors.ts";

const problem = { source: "cairn.toml", line: 3, key: "a.b", message: "wrong" };

test("a problem names its place as far as it is known", () => {
  expect(formatProblem(problem)).toBe("cairn.toml:3: a.b: wrong");
  expect(formatProblem({ ...problem, line: undefined })).toBe("cairn.toml: a.b: wrong");
  expect(formatProblem({ ...problem, key: "" })).toBe("cairn.toml:3: wrong");
});

test("an error lists every problem on its own line and holds them as data", () => {
  const error = configError("config-invalid", [problem, problem]);
  expect(error.message).toBe("cairn.toml:3: a.b: wrong\ncairn.toml:3: a.b: wrong");
  expect(error).toMatchObject({
    code: "config-invalid",
    details: { problems: [problem, problem] },
  });
});
