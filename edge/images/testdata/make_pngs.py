"""PNGs of every kind that is read here, written by Pillow 13, with their samples as 8-bit RGBA: pngs.json.

python make_pngs.py
"""
import base64, io, json, os, struct, zlib
import numpy as np
from PIL import Image

random = np.random.default_rng(1)
W, H = 7, 5
ramp = np.add.outer(np.arange(H) * 9, np.arange(W) * 11)
images = {
    'grey 8 bits': Image.fromarray(random.integers(0, 256, (H, W), dtype=np.uint8), 'L'),
    'grey 8 bits, smooth': Image.fromarray(ramp.astype(np.uint8), 'L'),
    'grey 1 bit': Image.fromarray((random.integers(0, 2, (H, W)) * 255).astype(np.uint8), 'L').convert('1'),
    'grey 16 bits': Image.fromarray((random.integers(0, 256, (H, W)) * 257).astype(np.uint16)),
    'grey and alpha': Image.fromarray(random.integers(0, 256, (H, W, 2), dtype=np.uint8), 'LA'),
    'colour': Image.fromarray(random.integers(0, 256, (H, W, 3), dtype=np.uint8), 'RGB'),
    'colour, smooth': Image.fromarray(np.stack([ramp, ramp * 2, 255 - ramp], -1).astype(np.uint8), 'RGB'),
    'colour and alpha': Image.fromarray(random.integers(0, 256, (H, W, 4), dtype=np.uint8), 'RGBA'),
}
rows = []


def add(name, image, **options):
    out = io.BytesIO()
    image.save(out, 'PNG', **options)
    add_file(name, out.getvalue())


def add_file(name, file):
    again = Image.open(io.BytesIO(file))
    if again.mode == 'I;16':
        again = Image.fromarray((np.asarray(again) // 257).astype(np.uint8), 'L')
    rgba = np.asarray(again.convert('RGBA')).reshape(-1).tolist()
    rows.append({'name': name, 'png': base64.b64encode(file).decode(), 'rgba': rgba})


for name, image in images.items():
    add(name, image)
palette = images['colour, smooth'].quantize(5)
for bits in (2, 4, 8):
    add(f'palette of {bits} bits', images['colour, smooth'].quantize(2**bits if bits < 8 else 30), bits=bits)
add('palette with a transparent colour', palette, transparency=2)
add('palette with alpha', palette, transparency=bytes([0, 60, 120, 180]))
add('grey with a transparent shade', images['grey 8 bits'], transparency=int(np.asarray(images['grey 8 bits'])[2, 3]))
first = tuple(int(v) for v in np.asarray(images['colour'])[1, 1])
add('colour with a transparent one', images['colour'], transparency=first)


def chunk(kind, body):
    return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))


def filtered(depth, step):
    """Random bytes, taken for filtered ones: what they stand for is for Pillow to say."""
    height, width = 15, 6
    lines = b''.join(bytes([y % 5]) + random.bytes(width * step) for y in range(height))
    header = struct.pack('>IIBBBBB', width, height, depth, 2 if step % 3 == 0 else 0, 0, 0, 0)
    parts = chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(lines)) + chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + parts


add_file('every filter, colour', filtered(8, 3))
add_file('every filter, grey', filtered(8, 1))
with open(os.path.join(os.path.dirname(__file__), 'pngs.json'), 'w') as file:
    json.dump({'images': rows}, file)
    file.write('\n')
