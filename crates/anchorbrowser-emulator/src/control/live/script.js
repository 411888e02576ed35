
"use strict";
{
  const $ = (id) => document.getElementById(id);
  const [stage, canvas, keys, note, tabs, address] =
    ["stage", "picture", "keys", "note", "tabs", "address"].map($);
  const controls = ["back", "forward", "reload", "go", "keys"].map($);
  const url = new URL("live/socket" + location.search, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  socket.binaryType = "blob";
  // What shows, as the emulator told it last.
  let view = { width: 0, height: 0, tabs: [], read_only: true };
  let told = false;

  const send = (message) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  const acts = () => told && !view.read_only;

  // Images, one after the other. The next one is made when this one has been seen.
  let drawn = Promise.resolve();
  const draw = async (blob) => {
    try {
      const image = await createImageBitmap(blob);
      if (canvas.width !== image.width || canvas.height !== image.height) {
        [canvas.width, canvas.height] = [image.width, image.height];
      }
      canvas.getContext("2d").drawImage(image, 0, 0);
      image.close();
    } catch (error) {
      console.warn("an image could not be shown", error);
    }
    send({ type: "ack" });
  };

  const enable = (on) => {
    for (const control of controls) control.disabled = !on;
    address.readOnly = !on;
  };

  const showTabs = () => {
    const focused = tabs.contains(document.activeElement) && document.activeElement.dataset.id;
    tabs.replaceChildren(...view.tabs.map((tab) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.id = tab.id;
      button.textContent = tab.title || tab.url || "New tab";
      button.title = tab.url;
      if (tab.id === view.page) button.setAttribute("aria-current", "page");
      button.onclick = () => send({ type: "tab", id: tab.id });
      return button;
    }));
    for (const button of tabs.children) if (button.dataset.id === focused) button.focus();
  };

  const show = (next) => {
    view = next;
    const name = view.title || view.url || "no page";
    document.title = name + " - Live view";
    canvas.setAttribute("aria-label", "The page " + name);
    if (document.activeElement !== address || view.read_only) address.value = view.url || "";
    showTabs();
    if (!told) {
      note.textContent = view.read_only
        ? "This live view is read-only."
        : "Click the page to use it. Shift and Escape take the keyboard back.";
    }
    told = true;
    enable(!view.read_only);
  };

  socket.onmessage = (event) => {
    if (typeof event.data !== "string") {
      drawn = drawn.then(() => draw(event.data));
      return;
    }
    const message = JSON.parse(event.data);
    if (message.type === "view") show(message);
    if (message.type === "refused") note.textContent = "Refused: " + message.message + ".";
  };
  socket.onclose = (event) => {
    const reason = event.reason || "the connection was lost; load this page again to go on";
    const text = told
      ? reason
      : "nothing can be shown: the session may have ended, or this address works only once and has been used";
    note.textContent = text[0].toUpperCase() + text.slice(1) + ".";
    document.body.className = "over";
    told = false;
    enable(false);
  };

  // The mouse.
  const modifiers = (event) =>
    event.altKey * 1 + event.ctrlKey * 2 + event.metaKey * 4 + event.shiftKey * 8;
  const place = (event) => {
    // The picture is in the middle of its box, and no larger than it was made.
    const box = canvas.getBoundingClientRect();
    const scale = Math.min(1, box.width / canvas.width, box.height / canvas.height);
    const x = (event.clientX - box.left - box.width / 2) / scale + canvas.width / 2;
    const y = (event.clientY - box.top - box.height / 2) / scale + canvas.height / 2;
    return { x: (x * view.width) / canvas.width, y: (y * view.height) / canvas.height };
  };
  const BUTTONS = ["left", "middle", "right", "back", "forward"];
  const mouse = (kind, event) => ({
    type: "mouse",
    event: kind,
    ...place(event),
    button: kind === "move" ? "none" : BUTTONS[event.button] || "none",
    buttons: event.buttons,
    clicks: kind === "move" ? 0 : event.detail,
    modifiers: modifiers(event),
  });
  // Of many moves between two pictures, the last one counts.
  let moved = null;
  const flush = () => {
    if (moved) send(moved);
    moved = null;
  };
  let pressed = false;
  canvas.addEventListener("mousedown", (event) => {
    if (!acts()) return;
    event.preventDefault();
    keys.focus({ preventScroll: true });
    pressed = true;
    flush();
    send(mouse("down", event));
  });
  addEventListener("mouseup", (event) => {
    if (!acts() || !pressed) return;
    pressed = event.buttons !== 0;
    flush();
    send(mouse("up", event));
  });
  addEventListener("mousemove", (event) => {
    if (!acts() || (event.target !== canvas && !pressed)) return;
    if (!moved) requestAnimationFrame(flush);
    moved = mouse("move", event);
  });
  canvas.addEventListener("contextmenu", (event) => {
    if (acts()) event.preventDefault();
  });
  canvas.addEventListener("wheel", (event) => {
    // With Control it enlarges this page, which is for its viewer.
    if (!acts() || event.ctrlKey) return;
    event.preventDefault();
    flush();
    const unit = [1, 16, view.height][event.deltaMode];
    const turned = { dx: event.deltaX * unit, dy: event.deltaY * unit };
    send({ type: "wheel", ...place(event), ...turned, modifiers: modifiers(event) });
  }, { passive: false });

  // The keyboard, by a field that nobody sees.
  const down = new Map();
  const key = (kind, event, text) => ({
    type: "key",
    event: kind,
    key: event.key,
    code: event.code,
    key_code: event.keyCode,
    location: event.location,
    repeat: event.repeat,
    modifiers: modifiers(event),
    text,
  });
  const composes = (event) =>
    event.isComposing || event.keyCode === 229 || event.key === "Dead" ||
    (event.getModifierState("AltGraph") && event.key.length === 1);
  const pastes = (event) =>
    ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "v") ||
    (event.shiftKey && event.key === "Insert");
  keys.addEventListener("keydown", (event) => {
    if (!acts() || composes(event) || pastes(event)) return;
    event.preventDefault();
    if (event.key === "Escape" && event.shiftKey) {
      address.focus();
      return;
    }
    const plain = !event.ctrlKey && !event.metaKey && [...event.key].length === 1;
    const text = event.key === "Enter" ? "\r" : plain ? event.key : "";
    const message = key("down", event, text);
    down.set(event.code, message);
    send(message);
  });
  keys.addEventListener("keyup", (event) => {
    if (!down.delete(event.code)) return;
    event.preventDefault();
    send(key("up", event, ""));
  });
  // What is held down when the focus goes is let go.
  keys.addEventListener("blur", () => {
    for (const message of down.values()) send({ ...message, event: "up", text: "" });
    down.clear();
  });
  const write = (text) => {
    if (text && acts()) send({ type: "text", text });
  };
  const written = () => {
    write(keys.value);
    keys.value = "";
  };
  keys.addEventListener("input", (event) => {
    if (!event.isComposing) written();
  });
  keys.addEventListener("compositionend", written);
  keys.addEventListener("paste", (event) => {
    event.preventDefault();
    write(event.clipboardData.getData("text/plain"));
  });

  // The bar.
  for (const step of ["back", "forward", "reload"]) $(step).onclick = () => send({ type: step });
  $("bar").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!acts()) return;
    send({ type: "goto", url: address.value });
    keys.focus({ preventScroll: true });
  });
}
