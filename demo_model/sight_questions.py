# ruff: noqa: E501
"""Wordings for questions about pictures, by what they ask; knows neither scenes nor answers."""

_F = "[film|image|picture|x-ray|scan|chest film|chest x-ray|radiograph|photo|phantom|phantom film]"
_SEE = "[see|find|notice|recognise|make out|detect|spot]"
_BRIGHT = "[opacity|bright spot|bright area|shadow|white patch|white spot|lesion|density|bright patch|infiltrate|consolidation|abnormality|finding]"
_BAD = "[opacity|abnormality|finding|lesion|shadow|consolidation|infiltrate|bright spot|anything abnormal|pathology|disease]"

DESCRIBE = (
    f"[describe|analyse|analyze|interpret|read|report|assess|examine|evaluate|look at|explain|comment on] [this|the|my|] {_F}",
    f"what [do|can] you {_SEE} [here|in this {_F}|on this {_F}|in the {_F}|on the {_F}|there|in it|]",
    f"what is [in|on] [this|the] {_F}",
    f"what does [this|the] {_F} show",
    "what is [this|that|shown here|shown|here|visible|it]",
    f"[tell me|say|write down] what [you see|is here|this is|it shows|the {_F} shows]",
    f"[analyze|analyse|review|read] this [medical|] {_F} and [describe|give|list|report] [the|your|all|] findings",
    f"[please|could you|can you] [describe|read|interpret|look at|analyse|have a look at|report on|explain] [this|the|my] {_F} [for me|]",
    "[findings|describe|analysis|report|interpretation|describe it|look|please describe|analyse|what now|your findings|impression]",
    f"[write|give me|i need|make] a [short|brief|structured|] [report|description|summary|reading] [of|for] [this|the] {_F}",
    "[systematic|structured|radiology|] report",
    f"[any|what] findings [in|on] [this|the] {_F}",
    "what [are|is] the [findings|finding|impression]",
    f"here is [a|my|an|the] {_F}[, what do you see|, describe it|]",
    f"[describe|name|list] [the findings|what is visible|what you see|what is there|everything visible] [on|in] [this|the] {_F}",
    "what can be seen [here|]",
    "do you [see|recognise] [anything|something|this]",
    "what do you [think|say] [about this|]",
    f"[show|tell] me [what is in|what's on] [this|the] {_F}",
)
WHERE = (
    f"where is [the|this|that] {_BRIGHT}",
    f"where [do you {_SEE} it|is it|does it lie|exactly is it|is it located|is something|is the object|on the picture]",
    f"in which [zone|part|area|region|place|field] is [it|the {_BRIGHT}]",
    "[which|what] [zone|position|place|location|region|area] [is affected|is it|is it in|]",
    f"[locate|localise|localize|point to|find] [the|any] {_BRIGHT}",
    f"[position|location|localisation] of the {_BRIGHT}",
    "where exactly",
    "where",
    "[name|tell me|give me] the [zone|place|position|location]",
    "which part of the [picture|image|film]",
)
SIDE = (
    f"[which|what] side is [it|the {_BRIGHT}] on",
    f"on [which|what] side is [it|the {_BRIGHT}]",
    "[left or right|right or left|which side|what side]",
    f"is [it|the {_BRIGHT}] [on the left or on the right|left or right|right or left|on the right or the left]",
    f"which lung [has the {_BRIGHT}|is affected|is abnormal|shows the {_BRIGHT}]",
    "which of the two lungs is affected",
)
IS_THERE = (
    f"is there [an|a|any] {_BAD} [here|in this {_F}|on this {_F}|on the film|in the lungs|]",
    f"do you {_SEE} [an|a|any] {_BAD} [here|in this {_F}|on the {_F}|]",
    f"[any|some] {_BAD} [here|in this {_F}|on the {_F}|visible|]",
    f"does [this|the] {_F} show [an|a|any] {_BAD}",
    f"can you {_SEE} [an|a|any] {_BAD}",
    f"is [something|anything] [wrong|abnormal|bright|unusual|suspicious] [here|on this {_F}|with the lungs|]",
    f"[are there|do you {_SEE}] [opacities|abnormalities|findings|bright spots|shadows]",
    f"is [this|the] {_F} [abnormal|pathological|not normal]",
    "opacity: yes or no",
    "has it got an opacity",
)
IS_CLEAR = (
    f"is [this|the] {_F} [normal|clear|unremarkable|ok|fine|healthy]",
    "are [the|both|these] lungs [clear|normal|healthy|free|unremarkable|ok]",
    f"[is everything|does everything look|does it look|does the {_F} look|is all] [normal|fine|ok|clear]",
    f"[normal|clear] {_F}",
    "normal or not",
    "[clear|are both sides clear|both lungs clear|all clear]",
    f"would you call this {_F} normal",
)
PART_IS_THERE = (
    "is there [an|any] [opacity|abnormality|shadow] in the {part}",
    "do you see [an opacity|something|anything|a shadow|an abnormality] in the {part}",
    "[any|an] [opacity|abnormality|shadow] in the {part}",
    "is [the opacity|it|the shadow] in the {part}",
    "does the {part} [show|have|contain] an [opacity|abnormality]",
    "is the {part} [abnormal|opaque|affected|bright|white]",
    "opacity in the {part}",
)
PART_IS_CLEAR = (
    "is the {part} [clear|normal|free|healthy|ok|fine|unremarkable]",
    "does the {part} look [clear|normal|free|healthy|fine]",
    "[clear|normal] {part}",
    "would you call the {part} [clear|normal]",
    "{part} clear",
    "is everything [normal|fine|clear] in the {part}",
)
ONE_LUNG = (
    "[what about|how about|and|now] the {side} [lung|side]",
    "[describe|look at|check|how is|what of|report on] the {side} [lung|side]",
    "what do you see [in|on] the {side} [lung|side]",
    "what is [in|on] the {side} [lung|side]",
    "the {side} [lung|side]",
    "how does the {side} [lung|side] look",
)
COLOUR = (
    "[what|which] colo[u|]r is [it|the shape|this|that|the object|shown]",
    "[what|which] colo[u|]r [does it have|has it|do you see|has the shape|]",
    "what is [its|the] colo[u|]r [of the shape|of the object|]",
    "colo[u|]r",
    "[name|tell me|say] the colo[u|]r",
    "how is it colo[u|]red",
    "in which colo[u|]r is [it|the shape] [drawn|painted|]",
)
SHAPE = (
    "[what|which] shape [is it|is this|is that|do you see|is shown|is there|has it|is drawn|]",
    "what kind of [shape|figure|object] [is it|is this|do you see]",
    "[name|tell me|say] the shape",
    "is it a [circle or a square|square or a triangle|star or a cross|ring or a circle]",
    "what [figure|object|form] is [this|it|that|shown]",
    "which [figure|object|form] do you see",
)
CHANGE = (
    "what [changed|has changed|is different|is new|is the difference|differs|is the change|are the differences|are the changes]",
    "compare [these|the|both|the two|these two|] [films|images|pictures|x-rays|scans|]",
    "[is there|do you see|can you see] [a|any] [change|difference] [between them|between the two|between the films|]",
    "[difference|differences|change|changes|comparison|compare|compare them|progression|what changed]",
    "how [did|does|has] [it|the film|the picture|the opacity|the second one] [change|differ|changed|changed since the first]",
    "[describe|name|tell me|list|report] the [change|changes|difference|differences] [between the films|between the two|between these images|]",
    "[has|did] [anything|something|it] [changed|change] [between the two|since the first film|]",
    "[is it|did it get|has it become] [better|worse|the same]",
    "compare [film 1 and film 2|the first and the second|image 1 with image 2|prior and current|the prior film with the current one|before and after]",
    "what do [these|the] two [films|images|pictures] show",
    "here are two [films|images|pictures][, what changed|, compare them|]",
    "[describe|analyse|interpret|look at] [both|these|the two|these two] [films|images|pictures|x-rays]",
    "what is the difference between [the two|these two|them|film 1 and film 2|the images|these films]",
    "[are they|are the two|are these] the same",
)
OTHER_SIDE = (
    "and the other [side|lung|one]",
    "what about the other [side|lung]",
    "[how is|how about|describe|check|now] the other [side|lung]",
    "and on the other side",
    "the other [side|lung]",
    "how does the other [side|lung] look",
    "is the other [side|lung] [clear|normal|ok|fine]",
)
NTH = (
    "and [in|on|] the {nth} [film|image|picture|one]",
    "what [is|was|do you see] [in|on] the {nth} [film|image|picture|one]",
    "[describe|tell me about|what about|how about|only] the {nth} [film|image|picture|one]",
    "the {nth} [film|image|picture|one]",
    "what does the {nth} [film|image|picture|one] show",
    "[film|image|picture] {number}",
)
ANOTHER = (
    "and [this one|this|this film|this picture|here|that one|now]",
    "[what about|how about] [this one|this film|this picture|this image|this]",
    "[now|next] [this one|one|film|picture|this]",
    "here is another [one|film|picture|image]",
    "the next [one|film|picture]",
    "and what [is this|do you see here|about this one]",
    "same question",
    "another one",
)
SINCE = (
    "what [changed|has changed] [since the first|since then|compared to the first|now|]",
    "compare [it|this] [with|to] the [first|previous|last|earlier] [one|film|picture|image]",
    "what is the difference to the [first|previous|earlier] [one|film|picture]",
    "[has it changed|is it the same as before|what is different now|what is new now|any change since then]",
    "compare [both|the two|them]",
)
SHORTER = (
    "[shorter|shorter please|short version|in short|briefly|in one sentence|in a sentence|summarise that|summary|tl;dr|tldr|too long|more briefly|be brief|make it shorter]",
    "[say|put|explain|give] [it|that|me that] [shorter|in one sentence|briefly|in short|more briefly|in a few words]",
    "[can you|could you|please] [say that in one sentence|make it shorter|shorten that|be brief|summarise it|sum it up|say it briefly]",
    "the short version",
)
WHAT_ASKED = (
    "what did i [ask|just ask|want to know|ask you|ask you about|ask before|first ask]",
    "what was my [question|last question|first question|question about|question again]",
    "what [was the question|did we talk about|are we talking about|was that about|were we talking about]",
    "[repeat|say|name|show] my [question|last question]",
    "do you [remember|know|recall] what i [asked|wanted|wanted to know|asked you]",
)
REPEAT = (
    "[say|tell me|show me|give me] [that|it|this] again",
    "[repeat|repeat that|once more|again|again please|one more time|repeat it|repeat your answer|say again]",
    "[can you|could you|please|would you] [repeat|repeat that|say that again|repeat your answer|show that again|repeat it]",
    "what did you [say|just say|answer|write|tell me|say there|say before]",
    "[show|give|print] [me|] [the|your|that] [answer|last answer|text] again",
    "[i did not read|i missed|i lost] [that|it|your answer], [again|once more|repeat it]",
)
WHY_NOT = (
    "why not",
    "why [can you not|can't you|cant you|can you not|do you not|don't you] [answer|answer that|say it|tell me|know|know that|help|]",
    "[why|how come]",
    "[but why|why is that|really|are you serious]",
    "[what is|what's|tell me] the [reason|problem]",
    "why [is|was] that [not possible|out of reach|refused|too hard]",
)
WHY_NOT_ANSWER = (
    "I am very small and was trained on synthetic data only, so I keep to what I was taught. Ask me what I can do."
)
