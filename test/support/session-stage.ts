/** One session over a scripted connection, at a time that moves only when the test says so. */
import type { FrameServices } from "#net/frame-server.ts";
import { FrameSession } from "#net/frame-session.ts";
import { narrowAddresses } from "#protocol/codec.ts";
import { collectedLog, type FrameFixture, frameFixture, statusOf } from "./frame-fixture.ts";
import { ScriptedConnection } from "./scripted-connection.ts";

interface SessionStage {
  readonly connection: ScriptedConnection;
  readonly session: FrameSession<undefined>;
  readonly fixture: FrameFixture;
  readonly log: ReturnType<typeof collectedLog>["records"];
  ended: number;
  nowMs: number;
}

export function sessionStage(changes: Partial<FrameServices<undefined>> = {}): SessionStage {
  const connection = new ScriptedConnection();
  const fixture = frameFixture();
  const { log, records } = collectedLog();
  const state = { connection, fixture, log: records, ended: 0, nowMs: 0 } as SessionStage;
  const session = new FrameSession<undefined>(connection, undefined, {
    handlers: fixture.handlers,
    log,
    maxBodyBytes: 64 * 1024,
    maxDiscardBytes: 1024 * 1024,
    closesAfterInvalid: true,
    answersOversized: true,
    context: (requestStatus) => ({ ...narrowAddresses, requestStatus }),
    statusOf,
    coarseNowMs: () => state.nowMs,
    sessionClosed: () => {
      state.ended += 1;
    },
    ...changes,
  });
  return Object.assign(state, { session });
}
