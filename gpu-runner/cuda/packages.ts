/**
 * The Python packages that carry the CUDA provider of ONNX Runtime and the libraries of CUDA 13 and cuDNN 9 that it needs,
 * for Linux on x64: each at one version, by its wheel's hash.
 */
import { CUDA_LIBRARIES } from '../runtime/cuda.ts'

/** The provider works with this version of ONNX Runtime's library alone: that of onnxruntime-node. */
export const ONNX_RUNTIME_VERSION = '1.30.0'

export interface CudaPackage {
  readonly name: string
  readonly version: string
  /** Of the wheel. */
  readonly sha256: string
  readonly wheelBytes: number
  /** Where the libraries lie in the wheel. */
  readonly from: string
  /** Bytes by name. */
  readonly libraries: Readonly<Record<string, number>>
  /** A library that the system may have, so that the package is not needed; it has the others too then. */
  readonly unless?: string
}

export const CUDA_PACKAGES: readonly CudaPackage[] = [
  {
    name: 'onnxruntime-gpu',
    version: ONNX_RUNTIME_VERSION,
    sha256: '6acc0f4b3d5ac5f2984432faa59dd8fcce6775f8b43a7140afa0f322c7a703b1',
    wheelBytes: 246_685_715,
    from: 'onnxruntime/capi',
    libraries: { 'libonnxruntime_providers_cuda.so': 272_049_904, 'libonnxruntime_providers_shared.so': 14_632 },
  },
  {
    name: 'nvidia-cuda-runtime',
    version: '13.5.37',
    sha256: 'df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d',
    wheelBytes: 2_504_024,
    from: 'nvidia/cu13/lib',
    libraries: { [CUDA_LIBRARIES.runtime]: 806_720 },
    unless: CUDA_LIBRARIES.runtime,
  },
  {
    name: 'nvidia-cuda-nvrtc',
    version: '13.5.37',
    sha256: '86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc',
    wheelBytes: 58_185_930,
    from: 'nvidia/cu13/lib',
    libraries: { 'libnvrtc-builtins.so.13.5': 7_268_296, [CUDA_LIBRARIES.nvrtc]: 141_163_664 },
    unless: CUDA_LIBRARIES.nvrtc,
  },
  {
    name: 'nvidia-cublas',
    version: '13.10.0.20',
    sha256: 'dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84',
    wheelBytes: 444_289_903,
    from: 'nvidia/cu13/lib',
    libraries: { [CUDA_LIBRARIES.cublasLt]: 551_653_208, [CUDA_LIBRARIES.cublas]: 57_282_152 },
    unless: CUDA_LIBRARIES.cublas,
  },
  {
    name: 'nvidia-curand',
    version: '10.4.5.25',
    sha256: '22bb226a857e5888fe6b54ae465fc4371296bcff13a35f79e19691bcf454f529',
    wheelBytes: 77_113_015,
    from: 'nvidia/cu13/lib',
    libraries: { [CUDA_LIBRARIES.curand]: 104_860_296 },
    unless: CUDA_LIBRARIES.curand,
  },
  {
    name: 'nvidia-cudnn-cu13',
    version: '9.28.1.4',
    sha256: 'a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec',
    wheelBytes: 516_817_937,
    from: 'nvidia/cudnn/lib',
    libraries: {
      [CUDA_LIBRARIES.cudnn]: 137_432,
      'libcudnn_adv.so.9': 92_392_360,
      'libcudnn_cnn.so.9': 4_204_144,
      'libcudnn_engines_precompiled.so.9': 260_072_128,
      'libcudnn_engines_runtime_compiled.so.9': 41_978_752,
      'libcudnn_engines_tensor_ir.so.9': 249_581_552,
      'libcudnn_ext.so.9': 10_492_592,
      'libcudnn_graph.so.9': 149_118_552,
      'libcudnn_heuristic.so.9': 96_473_968,
      'libcudnn_ops.so.9': 35_661_648,
    },
    unless: CUDA_LIBRARIES.cudnn,
  },
]
