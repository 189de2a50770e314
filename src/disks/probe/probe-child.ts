/**
 * What `cairn probe` does: answers the daemon's questions, one after the other, and tells news of its own accord. It ends when the
 * daemon does. Everything here may hang on a bad disk; the daemon then gives the process up and starts another one.
 */
import { LineSplitter } from "#control/control-wire.ts";
import { healthLookMs, takeHealthLook } from "#disks/health/health-look.ts";
import { Hotplug } from "#disks/hotplug.ts";
import { probeLimits } from "#disks/probe/limits.ts";
import {
  encodeProbeLine,
  type ProbeMessage,
  parseRoundRequest,
  type RoundRequest,
} from "#disks/probe/probe-messages.ts";
import { ProbeRounds, type ProbeWorld } from "#disks/probe/probe-round.ts";
import type { Children } from "#platform/children.ts";
import type { KernelLog } from "#platform/kernel-log.ts";
import type { ParentLink } from "#platform/parent-link.ts";

export interface ProbeChildParts {
  readonly world: ProbeWorld;
  readonly children: Pick<Children, "start">;
  readonly parent: ParentLink;
  readonly kernel: KernelLog;
}

/** Resolves when the parent is gone. */
export async function runProbeChild(parts: ProbeChildParts): Promise<void> {
  const { world, children, parent, kernel } = parts;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const say = (message: ProbeMessage): void => parent.write(encodeProbeLine(message));
  const news = (names: readonly string[]): void => say({ kind: "news", names });
  const rounds = new ProbeRounds({
    world,
    onDisk: (disk) => say({ kind: "at", disk }),
    onLate: (name) => news([name]),
  });
  const hotplug = new Hotplug({
    ...{ files: world.files, children, clock: world.clock, onNews: news },
  });
  const lines = new LineSplitter(probeLimits.maxLineBytes);
  let last: Promise<void> = Promise.resolve();
  const answer = async (request: RoundRequest): Promise<void> => {
    say(await rounds.take(request));
  };
  parent.onInput = (bytes) => {
    for (const line of lines.push(bytes)) {
      const request = parseRoundRequest(line);
      if (request !== undefined) last = last.then(() => answer(request));
    }
  };
  parent.onEnd = end;
  let isLooking = false;
  const lookAtHealth = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    say({ kind: "health", look: await takeHealthLook({ files: world.files, kernel }) });
    isLooking = false;
  };
  hotplug.start();
  say({ kind: "ready" });
  void lookAtHealth();
  const looks = world.clock.every(healthLookMs, () => void lookAtHealth());
  await ended;
  looks.cancel();
  hotplug.stop();
}
