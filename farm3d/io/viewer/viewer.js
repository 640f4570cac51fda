// The 3D view of a report: the embedded GLB with orbit, light and clip controls.
//
// Deep links: report.html#clip=walk&time=0.5&azimuth=90&elevation=10&light=30,45&skeleton=1&shape=1
//   clip       photo (the pose in the photograph, the default), rest, or the name of a clip
//   time       seconds into the clip, paused; without it a clip plays
//   azimuth, elevation   where the camera stands, in degrees: azimuth 0 looks the animal in the face,
//              90 sees its left side
//   light      azimuth and elevation of the light in degrees, measured like the camera's
//   skeleton, shape      1 shows the bones, or the shape without its texture
import {
  AmbientLight,
  AnimationMixer,
  Box3,
  CircleGeometry,
  ConeGeometry,
  DirectionalLight,
  GridHelper,
  MathUtils,
  Mesh,
  MeshBasicMaterial,
  PCFShadowMap,
  PerspectiveCamera,
  Scene,
  ShadowMaterial,
  Spherical,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

const FIELD_OF_VIEW = 25; // degrees, as in the reconstruction's own camera
const AMBIENT = 0.45;
const DIFFUSE = 0.8;
const CLAY = 0xb9b4aa;
const BONE = 0x2f7fd0;
const KEY_STEP = 10; // degrees an arrow key turns the view

const byId = (id) => document.getElementById(id);
const canvas = byId("viewer-canvas");
const controls = byId("viewer-controls");

const animal = await loadAnimal();
const stage = buildStage(animal);
const state = { clip: "photo", playing: false };
let drawRequested = false;
let lastFrame = null;

buildMotionChoices();
connectControls();
applyLink();
addEventListener("hashchange", applyLink);
controls.disabled = false;

/** The GLB embedded in the page, parsed; its joints' pose is remembered as the photograph's. */
async function loadAnimal() {
  const base64 = byId("animal-glb").textContent.trim();
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const gltf = await new GLTFLoader().parseAsync(bytes.buffer, "");
  let skin = null;
  gltf.scene.traverse((node) => {
    if (node.isSkinnedMesh) skin = node;
  });
  skin.castShadow = true;
  skin.frustumCulled = false; // its bounds change with the pose
  const photo = skin.skeleton.bones.map((bone) => [bone.position.clone(), bone.quaternion.clone()]);
  return { scene: gltf.scene, skin, photo, clips: gltf.animations, mixer: new AnimationMixer(gltf.scene) };
}

/** Renderer, camera, light and ground, scaled to the animal. Throws where there is no WebGL. */
function buildStage({ scene: object, skin }) {
  const renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
  renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
  renderer.shadowMap.enabled = true;
  renderer.shadowMap.type = PCFShadowMap;
  const scene = new Scene();
  const bounds = new Box3().setFromBufferAttribute(skin.geometry.attributes.position);
  const centre = bounds.getCenter(new Vector3());
  const radius = bounds.getSize(new Vector3()).length() / 2;
  const camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, radius / 50, radius * 50);
  const orbit = new OrbitControls(camera, canvas);
  orbit.target.copy(centre);
  orbit.minDistance = radius * 1.2;
  orbit.maxDistance = radius * 15;
  // three.js divides reflected light by pi; these intensities give albedo * (ambient + diffuse * cosine).
  const light = new DirectionalLight(0xffffff, DIFFUSE * Math.PI);
  light.target.position.copy(centre);
  light.castShadow = true;
  light.shadow.mapSize.set(1024, 1024);
  Object.assign(light.shadow.camera, { left: -2 * radius, right: 2 * radius, bottom: -2 * radius, top: 2 * radius });
  Object.assign(light.shadow.camera, { near: radius, far: 9 * radius });
  scene.add(object, light, light.target, new AmbientLight(0xffffff, AMBIENT * Math.PI), ...ground(radius));
  const bones = skin.skeleton.bones.filter((bone) => bone.userData.length).map(boneCone);
  return { renderer, scene, camera, orbit, light, bones, centre, radius, texture: skin.material.map };
}

/** A slim cone along a joint's z axis, as long as its bone, drawn over the animal; it moves with the joint. */
function boneCone(bone) {
  const length = bone.userData.length;
  const shape = new ConeGeometry(0.07 * length, length, 8).translate(0, length / 2, 0).rotateX(Math.PI / 2);
  const material = new MeshBasicMaterial({ color: BONE, depthTest: false, transparent: true, opacity: 0.75 });
  const cone = new Mesh(shape, material);
  cone.renderOrder = 1;
  cone.visible = false;
  bone.add(cone);
  return cone;
}

/** A disc that catches the shadow, and a faint grid of half metres. */
function ground(radius) {
  const disc = new Mesh(new CircleGeometry(4 * radius, 48), new ShadowMaterial({ opacity: 0.28 }));
  disc.rotation.x = -Math.PI / 2;
  disc.receiveShadow = true;
  const metres = Math.ceil(2.4 * radius);
  const grid = new GridHelper(metres, metres * 2, 0x888888, 0x888888);
  grid.material.transparent = true;
  grid.material.opacity = 0.22;
  grid.material.depthWrite = false;
  disc.position.y = grid.position.y = -0.002 * radius;
  return [disc, grid];
}

/** One radio button each for the photograph's pose, the rest pose and every clip. */
function buildMotionChoices() {
  const names = [["photo", "Pose in the photograph"], ["rest", "Rest pose"]];
  names.push(...animal.clips.map(({ name }) => [name, name.charAt(0).toUpperCase() + name.slice(1)]));
  for (const [value, text] of names) {
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "motion", value });
    input.addEventListener("change", () => show(value, null));
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
  for (const id of ["light-azimuth", "light-elevation"]) byId(id).addEventListener("input", moveLight);
  byId("show-skeleton").addEventListener("change", applyLook);
  byId("show-shape").addEventListener("change", applyLook);
  byId("reset-view").addEventListener("click", () => placeCamera(35, 12));
  stage.orbit.addEventListener("change", requestDraw);
  canvas.addEventListener("keydown", turnByKey);
  new ResizeObserver(requestDraw).observe(canvas);
}

/** Bring the page into the state that its address asks for. */
function applyLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  const number = (name, fallback) => {
    const value = parseFloat(link.get(name));
    return Number.isFinite(value) ? value : fallback;
  };
  placeCamera(number("azimuth", 35), number("elevation", 12));
  const [azimuth, elevation] = (link.get("light") ?? "").split(",").map(parseFloat);
  byId("light-azimuth").value = Number.isFinite(azimuth) ? azimuth : 40;
  byId("light-elevation").value = Number.isFinite(elevation) ? elevation : 45;
  byId("show-skeleton").checked = link.get("skeleton") === "1";
  byId("show-shape").checked = link.get("shape") === "1";
  moveLight();
  applyLook();
  show(link.get("clip") ?? "photo", link.has("time") ? number("time", 0) : null);
}

/** Show a pose or clip; a clip plays unless a time is given. An unknown name shows the photograph's pose. */
function show(name, time) {
  const clip = animal.clips.find((entry) => entry.name === name);
  state.clip = clip || name === "rest" ? name : "photo";
  document.querySelector(`input[name=motion][value="${CSS.escape(state.clip)}"]`).checked = true;
  animal.mixer.stopAllAction();
  if (state.clip === "rest") animal.skin.skeleton.pose();
  else animal.skin.skeleton.bones.forEach((bone, index) => {
    bone.position.copy(animal.photo[index][0]);
    bone.quaternion.copy(animal.photo[index][1]);
  });
  byId("time").max = clip ? clip.duration : 1;
  byId("play").disabled = byId("time").disabled = !clip;
  if (clip) {
    animal.mixer.clipAction(clip).reset().play();
    seek(time ?? 0);
  } else {
    showTime(0);
  }
  setPlaying(Boolean(clip) && time === null);
}

function seek(seconds) {
  animal.mixer.setTime(seconds);
  showTime(seconds);
  requestDraw();
}

function showTime(seconds) {
  byId("time").value = seconds;
  byId("time-value").textContent = `${seconds.toFixed(2)} s`;
}

function setPlaying(playing) {
  state.playing = playing;
  lastFrame = null;
  byId("play").textContent = playing ? "Pause" : "Play";
  requestDraw();
}

function placeCamera(azimuth, elevation) {
  const { camera, orbit, centre, radius } = stage;
  const polar = MathUtils.degToRad(90 - MathUtils.clamp(elevation, -5, 89));
  const narrow = Math.min(1, canvas.clientWidth / Math.max(canvas.clientHeight, 1));
  const distance = (0.9 * radius) / Math.sin(MathUtils.degToRad(FIELD_OF_VIEW / 2)) / narrow;
  orbit.target.copy(centre);
  camera.position.setFromSphericalCoords(distance, polar, MathUtils.degToRad(azimuth)).add(centre);
  orbit.update();
  requestDraw();
}

function turnByKey(event) {
  const step = MathUtils.degToRad(KEY_STEP);
  const turns = { ArrowLeft: [-step, 0, 1], ArrowRight: [step, 0, 1], ArrowUp: [0, -step, 1], ArrowDown: [0, step, 1] };
  const zooms = { "+": [0, 0, 0.9], "=": [0, 0, 0.9], "-": [0, 0, 1.1] };
  const move = turns[event.key] ?? zooms[event.key];
  if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const { camera, orbit } = stage;
  const place = new Spherical().setFromVector3(camera.position.clone().sub(orbit.target));
  place.theta += move[0];
  place.phi = MathUtils.clamp(place.phi + move[1], 0.02, Math.PI - 0.02);
  place.radius *= move[2];
  camera.position.setFromSpherical(place).add(orbit.target);
  orbit.update();
  requestDraw();
}

function moveLight() {
  const azimuth = byId("light-azimuth").valueAsNumber;
  const elevation = byId("light-elevation").valueAsNumber;
  byId("light-azimuth-value").textContent = `${azimuth}°`;
  byId("light-elevation-value").textContent = `${elevation}°`;
  const { light, centre, radius } = stage;
  const [polar, turn] = [MathUtils.degToRad(90 - elevation), MathUtils.degToRad(azimuth)];
  light.position.setFromSphericalCoords(5 * radius, polar, turn).add(centre);
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

function requestDraw() {
  if (drawRequested) return;
  drawRequested = true;
  requestAnimationFrame(draw);
}

/** One frame; asks for the next one only while a clip plays. */
function draw(now) {
  drawRequested = false;
  if (state.playing) {
    animal.mixer.update(lastFrame === null ? 0 : Math.min((now - lastFrame) / 1000, 0.1));
    showTime(animal.mixer.time % Number(byId("time").max));
    lastFrame = now;
  }
  const { renderer, scene, camera } = stage;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (width !== stage.width || height !== stage.height) {
    Object.assign(stage, { width, height });
    camera.aspect = width / Math.max(height, 1);
    camera.updateProjectionMatrix();
    renderer.setSize(width, height, false);
  }
  renderer.render(scene, camera);
  document.documentElement.dataset.viewer = "ready"; // for those who drive the page: its state is on screen
  if (state.playing) requestDraw();
}
