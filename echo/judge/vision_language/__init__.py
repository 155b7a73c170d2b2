"""The parts of the judge ``vision_language``: what is asked, who answers, what an answer says, and where it is kept."""
