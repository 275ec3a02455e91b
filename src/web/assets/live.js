// The guard's page while it is open. Without this file it still shows and records everything but the live
// picture.

import { listsWereRead } from "./alarm.js";
import "./keys.js";
import { isWriting, watchLists } from "./lists.js";
import { $ } from "./page.js";
import { watchLive } from "./picture.js";

const { build } = $("build").dataset;
let away = null; // since when the gateway does not answer, performance.now()

// Says that the gateway was away, when it is back; and takes the new page after an update.
function heard(head) {
  if (head === null) {
    away ??= performance.now();
    return;
  }
  if (away !== null && performance.now() - away > 1000) {
    $("back").hidden = false;
    setTimeout(() => { $("back").hidden = true; }, 10_000);
  }
  away = null;
  if (head.build !== build) {
    if (!isWriting()) location.reload();
    $("outdated").hidden = false;
  }
}

watchLists(listsWereRead);
watchLive(heard);
document.body.dataset.ready = "yes";
