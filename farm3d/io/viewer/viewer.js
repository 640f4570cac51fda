// The 3D view of a report: the embedded GLB with controls for its motion, the light and the view.
//
// Deep links: report.html#clip=walk&time=0.5&azimuth=90&elevation=10&light=30,45,0.3&skeleton=1&shape=1
//   clip       photo (the pose in the photograph, the default), or the name of a clip
//   pose       how much of the photograph's pose: 0 (at rest) to 1 (the default)
//   time       seconds into the clip, paused; without it a clip plays
//   azimuth, elevation   where the camera stands, in degrees: azimuth 0 looks the animal in the face,
//              90 sees its left side
//   light      azimuth and elevation of the light in degrees, measured like the camera's, and the ambience
//   skeleton, shape      1 shows the bones, or the shape without its texture
//   bare       1 hides the heading and the footer, for pages that frame this one
import { MathUtils } from "three";
import {
  buildStage,
  cameraAngles,
  drawStage,
  lightStage,
  loadAnimal,
  lowestPoint,
  placeCamera,
  poseAnimal,
  turnCamera,
} from "./stage.js";

const CLAY = 0xb9b4aa;
const KEY_STEP = MathUtils.degToRad(10); // an arrow key's turn
const STILL = "photograph"; // the clip that holds the photograph's pose for other programs
const START = { azimuth: 35, elevation: 12 };
const LIGHT = { azimuth: 40, elevation: 45, ambience: 0.45, strength: 0.8 };

const byId = (id) => document.getElementById(id);
const canvas = byId("viewer-canvas");
const controls = byId("viewer-controls");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const base64 = byId("animal-glb").textContent.trim();
const animal = await loadAnimal(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer);
const stage = buildStage(canvas, animal);
const photograph = JSON.parse(byId("photograph").textContent);
const state = { clip: null, playing: false, strength: LIGHT.strength };
let drawRequested = false;
let lastFrame = null;

buildMotionChoices();
connectControls();
applyLink();
addEventListener("hashchange", applyLink);
controls.disabled = false;

/** One radio button each for the photograph's pose and every clip. */
function buildMotionChoices() {
  const names = [["photo", "Pose in the photograph"]];
  for (const { name } of animal.clips.filter((clip) => clip.name !== STILL)) {
    const words = name.replaceAll("_", " ");
    names.push([name, words.charAt(0).toUpperCase() + words.slice(1)]);
  }
  for (const [value, text] of names) {
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "motion", value });
    input.addEventListener("change", () => show(value, calm.matches ? 0 : null));
    const label = document.createElement("label");
    label.append(input, document.createTextNode(text));
    byId("motion-choices").append(label);
  }
}

function connectControls() {
  byId("play").addEventListener("click", () => setPlaying(!state.playing));
  byId("time").addEventListener("input", (event) => {
    setPlaying(false);
    seek(event.target.valueAsNumber);
  });
  byId("speed").addEventListener("input", showSpeed);
  byId("pose").addEventListener("input", applyPose);
  for (const id of ["light-azimuth", "light-elevation", "light-ambience"]) byId(id).addEventListener("input", applyLight);
  for (const id of ["show-skeleton", "show-shape"]) byId(id).addEventListener("change", applyLook);
  for (const button of document.querySelectorAll("[data-view]")) {
    button.addEventListener("click", () => lookFrom(button.dataset.view));
  }
  byId("full-screen").addEventListener("click", () => canvas.parentElement.requestFullscreen());
  stage.orbit.addEventListener("change", requestDraw);
  stage.orbit.addEventListener("end", tellView);
  canvas.addEventListener("keydown", turnByKey);
  new ResizeObserver(requestDraw).observe(canvas);
}

/** Bring the page into the state that its address asks for. */
function applyLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  const number = (text, fallback) => (Number.isFinite(parseFloat(text)) ? parseFloat(text) : fallback);
  document.documentElement.dataset.bare = link.get("bare") ?? "";
  const start = firstView();
  placeCamera(stage, canvas, number(link.get("azimuth"), start.azimuth), number(link.get("elevation"), start.elevation));
  const [azimuth, elevation, ambience] = (link.get("light") ?? "").split(",");
  byId("light-azimuth").value = number(azimuth, LIGHT.azimuth);
  byId("light-elevation").value = number(elevation, LIGHT.elevation);
  byId("light-ambience").value = number(ambience, LIGHT.ambience);
  byId("pose").value = number(link.get("pose"), 1);
  byId("show-skeleton").checked = link.get("skeleton") === "1";
  byId("show-shape").checked = link.get("shape") === "1";
  state.strength = LIGHT.strength;
  applyLight();
  applyLook();
  showSpeed();
  tellView();
  const still = calm.matches ? 0 : null;
  show(link.get("clip") ?? "photo", link.has("time") ? number(link.get("time"), 0) : still);
}

/** Three quarters from the front, on the side that the photograph shows. */
function firstView() {
  if (!photograph) return START;
  const side = Math.sign(photograph.azimuth || 1);
  return { azimuth: side * MathUtils.clamp(Math.abs(photograph.azimuth) - 30, 30, 140), elevation: START.elevation };
}

/** A named view; that of the photograph brings its light and pose along. */
function lookFrom(name) {
  const side = photograph && photograph.azimuth < 0 ? -90 : 90;
  const views = { front: [0, 5], side: [side, 5], back: [180, 5], above: [side, 80] };
  const [azimuth, elevation] = views[name] ?? [photograph.azimuth, photograph.elevation];
  if (!(name in views)) {
    byId("light-azimuth").value = photograph.light_azimuth;
    byId("light-elevation").value = photograph.light_elevation;
    byId("light-ambience").value = photograph.ambience;
    state.strength = photograph.strength;
    byId("pose").value = 1;
    applyLight();
    show("photo", 0);
  }
  placeCamera(stage, canvas, azimuth, elevation);
  tellView();
  requestDraw();
}

/** Show the photograph's pose or a clip; a clip plays unless a time is given. Unknown names are the pose. */
function show(name, time) {
  const clip = animal.clips.find((entry) => entry.name === name);
  state.clip = clip ?? null;
  document.querySelector(`input[name=motion][value="${CSS.escape(clip ? name : "photo")}"]`).checked = true;
  animal.mixer.stopAllAction();
  for (const row of document.querySelectorAll("[data-for]")) row.hidden = (row.dataset.for === "clip") !== Boolean(clip);
  if (clip) {
    byId("time").max = clip.duration;
    animal.mixer.clipAction(clip).reset().play();
    stage.floor.position.y = 0;
    seek(time ?? 0);
  } else {
    applyPose();
  }
  setPlaying(Boolean(clip) && time === null);
}

/** The pose between rest and photograph; the ground is put under its lowest hoof. */
function applyPose() {
  const fraction = byId("pose").valueAsNumber;
  tell("pose", `${Math.round(100 * fraction)} %`);
  poseAnimal(animal, fraction);
  stage.floor.position.y = lowestPoint(animal);
  requestDraw();
}

function seek(seconds) {
  animal.mixer.setTime(seconds);
  showTime(seconds);
  requestDraw();
}

function showTime(seconds) {
  byId("time").value = seconds;
  tell("time", `${seconds.toFixed(2)} s`);
}

function showSpeed() {
  tell("speed", `${byId("speed").valueAsNumber.toFixed(2)} ×`);
}

/** A slider's value in words: beside it, and for those who hear the page. */
function tell(slider, words) {
  byId(`${slider}-value`).textContent = words;
  byId(slider).setAttribute("aria-valuetext", words);
}

function setPlaying(playing) {
  state.playing = playing;
  lastFrame = null;
  byId("play").textContent = playing ? "Pause" : "Play";
  requestDraw();
}

function turnByKey(event) {
  const turns = { ArrowLeft: [-KEY_STEP, 0], ArrowRight: [KEY_STEP, 0], ArrowUp: [0, -KEY_STEP], ArrowDown: [0, KEY_STEP] };
  const zooms = { "+": 0.9, "=": 0.9, "-": 1.1 };
  if (!(event.key in turns || event.key in zooms) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  turnCamera(stage, ...(turns[event.key] ?? [0, 0]), zooms[event.key] ?? 1);
  tellView();
  requestDraw();
}

function applyLight() {
  const [azimuth, elevation, ambience] = ["azimuth", "elevation", "ambience"].map((name) => byId(`light-${name}`).valueAsNumber);
  tell("light-azimuth", `${azimuth}°`);
  tell("light-elevation", `${elevation}°`);
  tell("light-ambience", `${Math.round(100 * ambience)} %`);
  lightStage(stage, { azimuth, elevation, ambience, strength: state.strength });
  requestDraw();
}

/** Texture or plain clay, bones or none. */
function applyLook() {
  const { material } = animal.skin;
  const plain = byId("show-shape").checked;
  material.map = plain ? null : stage.texture;
  material.color.set(plain ? CLAY : 0xffffff);
  material.needsUpdate = true;
  for (const cone of stage.bones) cone.visible = byId("show-skeleton").checked;
  requestDraw();
}

/** Say in words where the camera stands, for those who cannot see it. */
function tellView() {
  const [azimuth, elevation] = cameraAngles(stage).map(Math.round);
  const turned = Math.abs(azimuth);
  const side = azimuth > 0 ? "left" : "right";
  const place = { 0: "in front of the animal", 180: "behind the animal" }[turned] ?? `${turned}° round to the animal's ${side}`;
  byId("view-value").textContent = `The camera is ${place}, ${Math.abs(elevation)}° ${elevation < 0 ? "below" : "above"} it.`;
}

function requestDraw() {
  if (drawRequested) return;
  drawRequested = true;
  requestAnimationFrame(draw);
}

/** One frame; asks for the next one only while a clip plays. */
function draw(now) {
  drawRequested = false;
  if (state.playing) {
    const passed = lastFrame === null ? 0 : Math.min((now - lastFrame) / 1000, 0.1);
    animal.mixer.update(passed * byId("speed").valueAsNumber);
    showTime(animal.mixer.time % state.clip.duration);
    lastFrame = now;
  }
  drawStage(stage, canvas);
  document.documentElement.dataset.viewer = "ready"; // for those who drive the page: its state is on screen
  if (state.playing) requestDraw();
}
