"""The design this project grew from: a thread per request, each in a `generate()` of its own on the one model.

`python -m benchmarks.peers.threads CHECKPOINT PORT`. Of the wire it speaks what the client needs.
"""

import base64
import io
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import PIL.Image
import torch
from transformers import (
    AutoConfig,
    AutoProcessor,
    AutoTokenizer,
    Gemma3ForCausalLM,
    Gemma3ForConditionalGeneration,
    TextIteratorStreamer,
)

from medserver.worker.loading import cap_threads


class Model:
    def __init__(self, directory: str):
        images = AutoConfig.from_pretrained(directory).model_type == "gemma3"
        loader = Gemma3ForConditionalGeneration if images else Gemma3ForCausalLM
        self.network = loader.from_pretrained(directory, dtype=torch.float32, attn_implementation="sdpa").eval()
        self._processor = (
            AutoProcessor.from_pretrained(directory, backend="pil")
            if images
            else AutoTokenizer.from_pretrained(directory)
        )
        self.tokenizer = getattr(self._processor, "tokenizer", self._processor)

    def inputs(self, messages: list[dict]) -> dict[str, torch.Tensor]:
        turns, pictures = [], []
        for message in messages:
            parts = message["content"]
            parts = [{"type": "text", "text": parts}] if isinstance(parts, str) else parts
            for part in parts:
                if part["type"] == "image_url":
                    data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
                    pictures.append(PIL.Image.open(io.BytesIO(data)))
            known = [part if part["type"] == "text" else {"type": "image"} for part in parts]
            turns.append({"role": message["role"], "content": known})
        text = self._processor.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        options = {"images": [pictures]} if pictures else {}
        return self._processor(text=text, return_tensors="pt", add_special_tokens=False, **options)

    def stream(self, messages: list[dict], max_tokens: int) -> TextIteratorStreamer:
        streamer = TextIteratorStreamer(self.tokenizer, skip_prompt=True, skip_special_tokens=True)
        options = {**self.inputs(messages), "max_new_tokens": max_tokens, "do_sample": False, "streamer": streamer}
        threading.Thread(target=self.network.generate, kwargs=options, daemon=True).start()
        return streamer


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: Model

    def do_GET(self) -> None:
        self._head(200, "application/json")
        self._chunk(b'{"status": "ok"}')
        self._chunk(b"")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._head(200, "text/event-stream")
        for text in self.model.stream(asked["messages"], asked["max_tokens"]):
            if text:
                body = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
                self._chunk(b"data: " + json.dumps(body).encode() + b"\n\n")
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")
        self.close_connection = True

    def _head(self, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, *_) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


if __name__ == "__main__":
    cap_threads()
    Door.model = Model(sys.argv[1])
    Server(("127.0.0.1", int(sys.argv[2])), Door).serve_forever()
