"""The diagram that both engines run. Its one condition reads the same in FEEL and in Python, which SpiffWorkflow evaluates."""

from __future__ import annotations

DIAGRAM = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:furong="https://furong.example/bpmn"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="https://furong.example/bench">
  <process id="bench" name="Four departments" isExecutable="true">
    <startEvent id="start"/>
    <parallelGateway id="split"/>
    <userTask id="police" name="police" furong:kind="review" furong:department="police"/>
    <userTask id="health" name="health" furong:kind="review" furong:department="health"/>
    <userTask id="insurance" name="insurance" furong:kind="review" furong:department="medical_insurance"/>
    <userTask id="labour" name="labour" furong:kind="review" furong:department="human_resources"/>
    <parallelGateway id="join"/>
    <userTask id="decide" name="decide" furong:kind="decision"/>
    <exclusiveGateway id="choice" default="choice-reject"/>
    <userTask id="issue" name="issue" furong:kind="task"/>
    <userTask id="deliver" name="deliver" furong:kind="task"/>
    <userTask id="reject" name="reject" furong:kind="task"/>
    <endEvent id="done"/>
    <endEvent id="refused"/>
    <sequenceFlow id="start-split" sourceRef="start" targetRef="split"/>
    <sequenceFlow id="split-police" sourceRef="split" targetRef="police"/>
    <sequenceFlow id="split-health" sourceRef="split" targetRef="health"/>
    <sequenceFlow id="split-insurance" sourceRef="split" targetRef="insurance"/>
    <sequenceFlow id="split-labour" sourceRef="split" targetRef="labour"/>
    <sequenceFlow id="police-join" sourceRef="police" targetRef="join"/>
    <sequenceFlow id="health-join" sourceRef="health" targetRef="join"/>
    <sequenceFlow id="insurance-join" sourceRef="insurance" targetRef="join"/>
    <sequenceFlow id="labour-join" sourceRef="labour" targetRef="join"/>
    <sequenceFlow id="join-decide" sourceRef="join" targetRef="decide"/>
    <sequenceFlow id="decide-choice" sourceRef="decide" targetRef="choice"/>
    <sequenceFlow id="choice-issue" sourceRef="choice" targetRef="issue">
      <conditionExpression xsi:type="tFormalExpression">score &gt;= 60</conditionExpression>
    </sequenceFlow>
    <sequenceFlow id="choice-reject" sourceRef="choice" targetRef="reject"/>
    <sequenceFlow id="issue-deliver" sourceRef="issue" targetRef="deliver"/>
    <sequenceFlow id="deliver-done" sourceRef="deliver" targetRef="done"/>
    <sequenceFlow id="reject-refused" sourceRef="reject" targetRef="refused"/>
  </process>
</definitions>
"""
