// What the 3D view shows: the animal of a GLB, its bones, the ground, the light and the camera.
import {
  AmbientLight,
  AnimationMixer,
  Box3,
  CanvasTexture,
  CircleGeometry,
  ConeGeometry,
  DirectionalLight,
  Group,
  MathUtils,
  Mesh,
  MeshBasicMaterial,
  PCFShadowMap,
  PerspectiveCamera,
  Scene,
  ShadowMaterial,
  SRGBColorSpace,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

const FIELD_OF_VIEW = 25; // degrees, as in the reconstruction's own camera
const BONE = 0x2f7fd0;
const GROUND_PIXELS = 2048;

/** The animal of a GLB (ArrayBuffer), with each joint's place at rest and in the photograph's pose. */
export async function loadAnimal(glb) {
  const gltf = await new GLTFLoader().parseAsync(glb, "");
  let skin = null;
  gltf.scene.traverse((node) => {
    if (node.isSkinnedMesh) skin = node;
  });
  skin.castShadow = true;
  skin.frustumCulled = false; // its bounds change with the pose
  const photo = skin.skeleton.bones.map(jointPlace);
  skin.skeleton.pose();
  const rest = skin.skeleton.bones.map(jointPlace);
  return { scene: gltf.scene, skin, photo, rest, clips: gltf.animations, mixer: new AnimationMixer(gltf.scene) };
}

const jointPlace = (bone) => ({ position: bone.position.clone(), turn: bone.quaternion.clone() });

/** Put the joints a fraction of the way from rest to the photograph's pose. */
export function poseAnimal({ skin, rest, photo }, fraction) {
  skin.skeleton.bones.forEach((bone, index) => {
    bone.position.lerpVectors(rest[index].position, photo[index].position, fraction);
    bone.quaternion.slerpQuaternions(rest[index].turn, photo[index].turn, fraction);
  });
}

/** Height of the lowest point of the animal as it is posed now, in metres. */
export function lowestPoint({ scene, skin }) {
  scene.updateMatrixWorld(true);
  const place = new Vector3();
  let lowest = Infinity;
  for (let index = 0; index < skin.geometry.attributes.position.count; index += 1) {
    lowest = Math.min(lowest, skin.localToWorld(skin.getVertexPosition(index, place)).y);
  }
  return lowest;
}

/** Renderer, camera, light and ground, scaled to the animal. Throws where there is no WebGL. */
export function buildStage(canvas, { scene: object, skin }) {
  const renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
  renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
  renderer.shadowMap.enabled = true;
  renderer.shadowMap.type = PCFShadowMap;
  const bounds = new Box3().setFromBufferAttribute(skin.geometry.attributes.position);
  const centre = bounds.getCenter(new Vector3());
  const radius = bounds.getSize(new Vector3()).length() / 2;
  const camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, radius / 50, radius * 50);
  const orbit = new OrbitControls(camera, canvas);
  orbit.minDistance = radius * 1.2;
  orbit.maxDistance = radius * 15;
  const sun = sunlight(centre, radius);
  const ambient = new AmbientLight(0xffffff);
  const floor = ground(radius, renderer.capabilities.getMaxAnisotropy());
  const scene = new Scene();
  scene.add(object, sun, sun.target, ambient, floor);
  const bones = skin.skeleton.bones.filter((bone) => bone.userData.length).map(boneCone);
  return { renderer, scene, camera, orbit, sun, ambient, floor, bones, centre, radius, texture: skin.material.map };
}

function sunlight(centre, radius) {
  const light = new DirectionalLight(0xffffff);
  light.target.position.copy(centre);
  light.castShadow = true;
  light.shadow.mapSize.set(2048, 2048);
  light.shadow.radius = 3;
  light.shadow.bias = -0.0005;
  light.shadow.normalBias = 0.004 * radius;
  Object.assign(light.shadow.camera, { left: -2 * radius, right: 2 * radius, bottom: -2 * radius, top: 2 * radius });
  Object.assign(light.shadow.camera, { near: radius, far: 9 * radius });
  return light;
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

/** A disc that catches the shadow, and squares of half a metre that fade out with the distance. */
function ground(radius, anisotropy) {
  const disc = new CircleGeometry(4 * radius, 64).rotateX(-Math.PI / 2);
  const shadow = new Mesh(disc, new ShadowMaterial({ opacity: 0.32 }));
  shadow.receiveShadow = true;
  const map = new CanvasTexture(squares(4 * radius));
  map.colorSpace = SRGBColorSpace;
  map.anisotropy = anisotropy;
  const grid = new Mesh(disc, new MeshBasicMaterial({ map, transparent: true, depthWrite: false }));
  grid.renderOrder = -1;
  return new Group().add(grid, shadow);
}

/** Lines half a metre apart on a canvas that covers `reach` metres to every side of its middle. */
function squares(reach) {
  const canvas = Object.assign(document.createElement("canvas"), { width: GROUND_PIXELS, height: GROUND_PIXELS });
  const context = canvas.getContext("2d");
  const half = GROUND_PIXELS / 2;
  const apart = (0.5 * half) / reach;
  context.strokeStyle = "rgb(128 128 128 / .38)";
  context.lineWidth = 2;
  for (let line = Math.floor(-half / apart); line * apart < half; line += 1) {
    context.moveTo(half + line * apart, 0);
    context.lineTo(half + line * apart, GROUND_PIXELS);
    context.moveTo(0, half + line * apart);
    context.lineTo(GROUND_PIXELS, half + line * apart);
  }
  context.stroke();
  const fade = context.createRadialGradient(half, half, 0.12 * half, half, half, 0.62 * half);
  fade.addColorStop(0, "rgb(0 0 0 / 1)");
  fade.addColorStop(1, "rgb(0 0 0 / 0)");
  context.globalCompositeOperation = "destination-in";
  context.fillStyle = fade;
  context.fillRect(0, 0, GROUND_PIXELS, GROUND_PIXELS);
  return canvas;
}

/** Light from an azimuth and elevation (degrees): the surface shows albedo * (ambient + diffuse * cosine). */
export function lightStage({ sun, ambient, centre, radius }, { azimuth, elevation, strength, ambience }) {
  const [polar, turn] = [MathUtils.degToRad(90 - elevation), MathUtils.degToRad(azimuth)];
  sun.position.setFromSphericalCoords(5 * radius, polar, turn).add(centre);
  // three.js divides reflected light by pi.
  sun.intensity = strength * Math.PI;
  ambient.intensity = ambience * Math.PI;
}

/** The camera on a sphere about the animal, so that it fills the canvas. */
export function placeCamera({ camera, orbit, centre, radius }, canvas, azimuth, elevation) {
  const polar = MathUtils.degToRad(90 - MathUtils.clamp(elevation, -5, 89));
  const narrow = Math.min(1, (0.85 * canvas.clientWidth) / Math.max(canvas.clientHeight, 1));
  const distance = (0.8 * radius) / Math.sin(MathUtils.degToRad(FIELD_OF_VIEW / 2)) / narrow;
  orbit.target.copy(centre);
  camera.position.setFromSphericalCoords(distance, polar, MathUtils.degToRad(azimuth)).add(centre);
  orbit.update();
}

/** Turn the camera about the animal by angles (radians) and change its distance by a factor. */
export function turnCamera({ camera, orbit }, turn, tilt, factor) {
  const offset = camera.position.clone().sub(orbit.target);
  const distance = MathUtils.clamp(offset.length() * factor, orbit.minDistance, orbit.maxDistance);
  const polar = MathUtils.clamp(Math.acos(offset.y / offset.length()) + tilt, 0.02, Math.PI - 0.02);
  camera.position.setFromSphericalCoords(distance, polar, Math.atan2(offset.x, offset.z) + turn).add(orbit.target);
  orbit.update();
}

/** Where the camera stands: azimuth and elevation in degrees. */
export function cameraAngles({ camera, orbit }) {
  const offset = camera.position.clone().sub(orbit.target);
  const elevation = MathUtils.radToDeg(Math.asin(offset.y / offset.length()));
  return [MathUtils.radToDeg(Math.atan2(offset.x, offset.z)), elevation];
}

/** Draw one frame at the canvas's size. */
export function drawStage({ renderer, scene, camera }, canvas) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const ratio = renderer.getPixelRatio();
  if (canvas.width !== Math.floor(width * ratio) || canvas.height !== Math.floor(height * ratio)) {
    camera.aspect = width / Math.max(height, 1);
    camera.updateProjectionMatrix();
    renderer.setSize(width, height, false);
  }
  renderer.render(scene, camera);
}
