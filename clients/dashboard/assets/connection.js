// The stream of events from the stage: begun again when it breaks off, left while nobody looks.
/** @import { Store } from "./store.js" */
import { snapshot } from "./api.js";

const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 8000;
/** How long a hidden page stays connected. */
const HIDDEN_MS = 30_000;
/** How long to wait for the snapshot that follows `lost` before asking for one. */
const CATCH_UP_MS = 1000;

/** @param {Store} store @returns {() => void} ends it */
export function connect(store) {
  /** @type {EventSource|null} */
  let source = null;
  let retry_ms = RETRY_FIRST_MS;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let catchUp;

  const open = () => {
    clearTimeout(timer);
    source?.close();
    store.connected("connecting", "connecting to the stage");
    const events = new EventSource("/api/events");
    source = events;
    /** @param {string} name @param {(body: any) => void} use */
    const on = (name, use) => events.addEventListener(name, (event) => {
      if (source === events) use(JSON.parse(event.data));
    });
    on("snapshot", (body) => {
      clearTimeout(catchUp);
      retry_ms = RETRY_FIRST_MS;
      store.snapshot(body);
      store.connected("live");
    });
    on("delta", (delta) => {
      if (store.state.stage === null) refresh();
      else store.delta(delta);
      if (store.connection === "connecting") store.connected("live");
    });
    on("log", (entry) => store.log(entry));
    on("load", (view) => store.loads([view]));
    on("lost", (lost) => {
      store.connected("catching up", `${lost.updates} updates missed`);
      clearTimeout(catchUp);
      catchUp = setTimeout(refresh, CATCH_UP_MS);
    });
    events.onopen = () => {
      if (store.connection === "lost" && store.state.stage) store.connected("live");
    };
    events.onerror = () => {
      if (source !== events) return;
      const isOver = events.readyState === EventSource.CLOSED;
      store.connected("lost", isOver ? `trying again in ${Math.ceil(retry_ms / 1000)} s` : "trying again");
      if (!isOver) return;
      timer = setTimeout(open, retry_ms);
      retry_ms = Math.min(RETRY_LAST_MS, retry_ms * 2);
    };
  };
  const refresh = () => {
    snapshot().then((body) => {
      store.snapshot(body);
      store.connected("live");
    }, () => store.connected("lost", "the stage does not answer"));
  };
  const close = () => {
    source?.close();
    source = null;
  };
  const look = () => {
    clearTimeout(timer);
    if (!document.hidden) {
      if (!source) open();
      return;
    }
    timer = setTimeout(() => {
      close();
      store.connected("connecting", "left while hidden");
    }, HIDDEN_MS);
  };
  document.addEventListener("visibilitychange", look);
  open();
  return () => {
    document.removeEventListener("visibilitychange", look);
    clearTimeout(timer);
    clearTimeout(catchUp);
    close();
  };
}
