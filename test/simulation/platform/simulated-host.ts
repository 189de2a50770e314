/** The process and its machine, as far as a simulated node asks for them. Its files are forgotten with the process. */
import { ScriptedHost } from "../../support/scripted-host.ts";
import type { Life } from "./world.ts";

export class SimulatedHost extends ScriptedHost {
  readonly #onKill: () => void;
  readonly #life: Life;

  constructor(life: Life, onKill: () => void) {
    super();
    this.#life = life;
    this.#onKill = onKill;
  }

  override killSelf(): void {
    if (!this.#life.ended) this.#onKill();
  }
}
