/** Turns of the event loop made by hand, over rings that only count who was roused. */
import { expect, test } from "vitest";
import { TurnBatch } from "#filestore/turn-batch.ts";

function stage() {
  const ends: (() => void)[] = [];
  const seen = { roused: 0, watching: true, drained: 0, inFlight: 0 };
  /** Answers that lie in the ring. */
  let answers = 0;
  /** Some that come just before we are to be roused again. */
  let late = 0;
  const drain = (): number => {
    const count = answers;
    answers = 0;
    seen.drained += count;
    seen.inFlight -= count;
    return count;
  };
  const turns = new TurnBatch({
    requests: {
      wake: () => {
        seen.roused += 1;
      },
    },
    completions: {
      pauseWatch: () => {
        seen.watching = false;
      },
      resumeWatch: () => {
        answers += late;
        late = 0;
        if (answers > 0) return false;
        seen.watching = true;
        return true;
      },
    },
    afterTurn: (task) => ends.push(task),
    drain,
    inFlight: () => seen.inFlight,
  });
  return {
    seen,
    push: (count: number): void => {
      for (let each = 0; each < count; each += 1) {
        seen.inFlight += 1;
        turns.pushed();
      }
    },
    answer: (count: number): void => {
      answers += count;
    },
    answerLate: (count: number): void => {
      late += count;
    },
    /** Ends the present turn; false when nobody waits for its end. */
    endTurn: (): boolean => {
      const tasks = ends.splice(0);
      for (const task of tasks) task();
      return tasks.length > 0;
    },
  };
}

test("the requests of a turn rouse the worker once, at its end, and then the worker rouses us", () => {
  const { seen, push, endTurn } = stage();
  push(3);
  expect(seen).toMatchObject({ roused: 0, watching: false });
  endTurn();
  expect(seen).toMatchObject({ roused: 1, watching: true });
  expect(endTurn()).toBe(false);
});

test("in a turn of many requests the worker begins with the first", () => {
  const { seen, push, endTurn } = stage();
  push(40);
  expect(seen.roused).toBe(2);
  endTurn();
  expect(seen.roused).toBe(3);
});

test("with several in flight the requests of a turn wait for those of the next two, as long as each brings some", () => {
  const { seen, push, endTurn } = stage();
  push(5);
  endTurn();
  expect(seen.roused).toBe(0);
  push(2);
  endTurn();
  expect(seen.roused).toBe(0);
  push(2);
  endTurn();
  expect(seen.roused).toBe(1);
  push(1);
  endTurn();
  expect(seen.roused).toBe(1);
  endTurn();
  expect(seen.roused).toBe(2);
});

test("answers are taken while requests wait for others", () => {
  const { seen, push, answer, endTurn } = stage();
  push(5);
  answer(1);
  endTurn();
  expect(seen).toMatchObject({ roused: 0, drained: 1 });
});

test("few requests wait for nobody", () => {
  const { seen, push, endTurn } = stage();
  push(3);
  endTurn();
  expect(seen.roused).toBe(1);
});

test("while many are in flight, answers are taken turn by turn without being roused for them", () => {
  const { seen, push, answer, endTurn } = stage();
  push(20);
  for (let turn = 0; turn < 10; turn += 1) {
    if (turn % 2 === 0) answer(1);
    endTurn();
    expect(seen.watching).toBe(false);
  }
  expect(seen.drained).toBe(5);
});

test("two turns in a row without an answer end the looking, and a request begins it again", () => {
  const { seen, push, answer, endTurn } = stage();
  push(20);
  endTurn();
  endTurn();
  expect(seen.watching).toBe(false);
  endTurn();
  expect(seen.watching).toBe(true);
  expect(endTurn()).toBe(false);
  push(1);
  answer(21);
  endTurn();
  endTurn();
  expect(seen).toMatchObject({ watching: true, inFlight: 0, drained: 21 });
});

test("an answer that comes between the last look and the watch is taken", () => {
  const { seen, push, answerLate, endTurn } = stage();
  push(2);
  answerLate(1);
  endTurn();
  expect(seen).toMatchObject({ drained: 1, watching: true });
});
