"""Messages of OpenAI's chat completions, as far as a picture and a question need them.

Source: HAMSTER's ``gradio_server_example.py`` (liyi14/HAMSTER_beta) for the request; its server
answers with a list of content parts, others with a plain text, and both are read.
"""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from magma_ros.errors import CameraError, ModelError

JPEG_QUALITY = 95
MOST_TOKENS = 512  # default of HAMSTER's server; its client's 128 cut long paths off
TEMPERATURE, TOP_P = 0.0, 0.95
LONGEST_TEXT = 20_000


def chat_request(model: str, question: str, image_rgb: NDArray[np.uint8]) -> dict[str, Any]:
    """The body of a request; raises CameraError for a picture that is no JPEG."""
    is_done, jpeg = cv2.imencode(
        '.jpg', image_rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    if not is_done:
        raise CameraError(f'picture {image_rgb.shape} cannot be written as JPEG')
    data = base64.b64encode(jpeg.tobytes()).decode()
    content = [
        {'type': 'image_url', 'image_url': {'url': f'data:image/jpeg;base64,{data}'}},
        {'type': 'text', 'text': question},
    ]
    return {
        'model': model,
        'messages': [{'role': 'user', 'content': content}],
        'max_tokens': MOST_TOKENS,
        'temperature': TEMPERATURE,
        'top_p': TOP_P,
    }


def read_chat_reply(message: Any, url: str) -> str:
    """The text of the first choice; raises ModelError."""
    try:
        content = message['choices'][0]['message']['content']
        text = content if isinstance(content, str) else content[0]['text']
    except (KeyError, IndexError, TypeError) as error:
        raise ModelError(
            f'{url} gave no choices[0].message.content ({_said(message)}): does it speak '
            "OpenAI's chat completions? See its log"
        ) from error
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise ModelError(f'{url} gave no text of at most {LONGEST_TEXT} characters: see its log')
    return text


def find_refusal(message: Any) -> str:
    """Why a server refuses, in its own words as far as they can be found; one short line."""
    error = message.get('error', message.get('detail')) if isinstance(message, dict) else message
    words = error.get('message') if isinstance(error, dict) else error
    return _said(words)


def _said(words: Any) -> str:
    return ' '.join(str(words)[:200].split()) or 'no reason given'
